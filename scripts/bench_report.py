#!/usr/bin/env python3
"""Writes docs/performance.md, docs/performance.svg and the figures in the README from what the benches printed.

    scripts/bench_report.py --report|--smoke|--check DIRECTORY

DIRECTORY holds a file for each bench. --smoke reads all of it and writes nothing; --check compares README and page.
"""

import datetime
import pathlib
import platform
import re
import subprocess
import sys
import tomllib

import bench_plot as plot

README, PAGE, PICTURE = (pathlib.Path(name) for name in ("README.md", "docs/performance.md", "docs/performance.svg"))
BEGIN, END = "<!-- figures: written by scripts/bench.sh -->", "<!-- end of figures -->"

SPREAD = r"(\d+\.\d+ \(\d+\.\d+-\d+\.\d+\)|-)"
REACH = r"(?:\s+>?=?\s*\d+(?:\.\d+)?(?! ?\())?"
MISSING = "not measured: "
BODY = {"0.7 KB": 692, "4 KB": 4 << 10, "16 KB": 16 << 10, "64 KB": 64 << 10, "256 KB": 256 << 10, "1 MB": 1 << 20,
        "4 MB": 4 << 20, "16 MB": 16 << 20, "50 MB": 50 << 20}
REFERENCES = ("bare", "json", "from-slice", "from-str")


def find(text, name, pattern):
    """The rows of a table, as groups. A row that is not understood is a fault: a bench has changed, and this file has not."""
    lines = [line for line in text.splitlines() if re.search(SPREAD.replace("|-", ""), line)]
    rows = [re.fullmatch(rf"\s*{pattern}\s*", line) for line in lines]
    if not rows and MISSING in text:
        return []
    if not rows or None in rows:
        strange = lines[rows.index(None)] if None in rows else "nothing"
        sys.exit(f"bench_report: a row of {name} is not understood: {strange}")
    return [row.groups() for row in rows]


def between(text, start):
    """From the line that begins so to the next empty one."""
    return next((part for part in text.split("\n\n") if part.strip().startswith(start)), "")


def first(spread):
    """The median without its spread."""
    return float(spread.split()[0])


def micros(nanos):
    return f"{float(nanos) / 1000:.2f}"


def table(head, rows):
    """Numbers to the right, words to the left."""
    if not rows:
        return ""
    rules = ["---:" if re.match(r"[\d-]", str(cell)) else "---" for cell in rows[0]]
    lines = [head, rules, *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


class Output:
    """What the benches printed."""

    def __init__(self, directory):
        self.texts = {path.stem: path.read_text() for path in sorted(pathlib.Path(directory).glob("*.txt"))}
        pipeline, growth, claims = (self.texts[name] for name in ("pipeline", "growth", "claims"))
        row = rf"(\S+)\s+(\S.*?)\s+\d+\s+(\d+)\s+{SPREAD}{REACH}\s+{SPREAD}{REACH}"
        self.pipeline = find(pipeline, "pipeline", row)
        row = rf"(\d\S* [KM]B)\s+\d+\s+(\d+)\s+([\d.]+)\s+{SPREAD}\s+{SPREAD}"
        self.bodies = find(between(growth, "body:"), "bodies", row)
        self.batches = find(between(growth, "batch:"), "batches", rf"(\d+)\s+\d+\s+([\d.]+)\s+{SPREAD}")
        self.rings = find(between(growth, "ring:"), "rings", rf"(\d+)\s+\d+\s+(\d+)\s+{SPREAD}")
        row = rf"(\d+)\s+\d+\s+(\d+)\s+(\d+)\s+{SPREAD}\s+([\d.]+|-)\s+([\d.]+|-)"
        self.connections = find(between(growth, "connections:"), "connections", row)
        row = rf"(\d+)\s+(\w+)\s+(\d+)\s+(\d+)\s+{SPREAD}{REACH}\s+(\d+)\s+{SPREAD}{REACH}\s+([\d.]+)\s+{SPREAD}{REACH}"
        memory, _, redis = claims.partition("\nRedis:")
        memory += MISSING if MISSING in claims else ""
        self.memory = find(memory, "claims in memory", row)
        row = rf"(\d+)\s+(\S.*?)\s+(\d+)\s+{SPREAD}{REACH}\s+{SPREAD}"
        self.redis = find(redis, "claims in Redis", row)
        row = r"([^,\n]+)(?:, (\S.*?))?\s+(\d+)\s+(\d+)\s+(\d+\.\d+)"
        self.decode = re.findall(rf"^{row}$", self.texts.get("decode", ""), re.M)
        self.peers = self.read_peers(self.texts.get("peers", MISSING + "not run"))

    @staticmethod
    def read_peers(text):
        if text.startswith(MISSING):
            return {}
        row = rf"(\S+)\s+(\S.*?)\s+\d+\s+(\d+)\s+{SPREAD}\s+{SPREAD}\s+{SPREAD}\s+{SPREAD}"
        sizes = re.findall(r"^body of (\S+ [KM]B)", text, re.M)
        return {size: find(between(text, f"body of {size}"), f"peers at {size}", row) for size in sizes}

    def missing(self, name):
        """What a bench could not measure, in its own words."""
        return [line.strip() + "." for line in self.texts.get(name, MISSING + "not run").splitlines() if line.startswith(MISSING)]

    def others(self):
        """Benches that have no tables here are shown as they are."""
        return {name: text for name, text in self.texts.items() if name not in self.shown()}

    def shown(self):
        return {"pipeline", "growth", "claims", "peers"} | ({"decode"} if self.decode else set())


def figures(output):
    """Three lines, for the README and for the head of the page."""
    pipeline = {row[0]: row for row in output.pipeline}
    _, _, _, of_bare, of_json = pipeline["full"]
    lines = [f"- Everything (Basic, HMAC, strict JSON, claim, typed event; each request a new event) takes **{first(of_json):.2f}** of the "
             f"CPU time of `axum::Json<T>` of the same type, which checks nothing, and {first(of_bare):.2f} of axum that only reads bytes."]
    if output.peers:
        rows = {row[0]: first(row[3]) for row in output.peers["0.7 KB"]}
        lines.append(
            f"- A signature alone takes **{rows['verify']:.2f}** of axum that only reads bytes; in the same run webhook-verify takes "
            f"{rows['webhook-verify']:.2f}, tower-github-webhook {rows['tower-github-webhook']:.2f}, axum-standardwebhooks "
            f"{rows['axum-standardwebhooks']:.2f} (ours for that scheme: {rows['verify-std']:.2f}).")
    done = [row for row in output.memory if row[1] == "done"]
    if done:
        most, million = done[-1], min(done, key=lambda row: abs(int(row[0]) - 1_000_000))
        lines.append(f"- The store in memory claims and completes **{float(million[2]) / 1e6:.1f} million** new events a second on two threads at "
                     f"{int(million[0]):,} keys, and takes {float(most[7]):.0f} bytes a key at {int(most[0]):,}.")
    return "\n".join(lines)


def block(text):
    """What stands between the two marks."""
    match = re.search(re.escape(BEGIN) + r"\n(.*?)\n" + re.escape(END), text, re.S)
    return match and match.group(1)


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", info, re.M)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", info, re.M)
    flags = set(flags.group(1).split()) if flags else set()
    matter = [flag for flag in ("sha_ni", "aes", "vaes", "pclmulqdq", "vpclmulqdq", "avx2", "avx512f", "sha2", "pmull") if flag in flags]
    memory = int(re.search(r"^MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M).group(1))
    return [("CPU", model.group(1) if model else platform.machine()), ("cores", len(re.findall(r"^processor", info, re.M))),
            ("flags that matter", " ".join(f"`{flag}`" for flag in matter)), ("memory", f"{memory / (1 << 20):.0f} GiB"),
            ("kernel", f"{platform.system()} {platform.release()}")]


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "none"


def locked(path, names):
    packages = tomllib.loads(pathlib.Path(path).read_text())["package"]
    versions = {package["name"]: package["version"] for package in packages}
    return ", ".join(f"{name} {versions[name]}" for name in names if name in versions)


def versions(output):
    ours = ("tokio", "hyper", "axum", "tower", "serde", "serde_json", "hmac", "sha2", "aes-gcm", "hashbrown", "redis")
    rows = [("compiler", said("rustc", "--version").split(" (")[0] + ", release, `lto = \"thin\"`, `codegen-units = 1`"),
            ("crates", locked("Cargo.lock", ours))]
    if output.peers:
        names = ("webhook-verify", "tower-github-webhook", "axum-standardwebhooks", "standardwebhooks")
        rows.append(("peers", locked("benches/peers/Cargo.lock", names)))
    redis = re.search(r"v=(\S+)", said("redis-server", "--version"))
    return rows + [("Redis", redis.group(1) if redis else "none"), ("date", datetime.date.today().isoformat())]


def peers(output):
    parts = output.missing("peers")
    for size, rows in output.peers.items():
        head = (f"body of {size}", "what it does", "µs", "of bare axum", "of `axum::Json<T>`", "of `from_slice`", "of `from_str`")
        parts.append(table(head, [(f"`{name}`", what, micros(ns), *ratios) for name, what, ns, *ratios in rows]))
    return parts


def page(output):
    head = ("variant", "what it does", "µs", "of bare axum", "of `axum::Json<T>`")
    rows = [(f"`{name}`", what, micros(ns), bare, json) for name, what, ns, bare, json in output.pipeline]
    parts = [
        "# What it costs",
        "Written by `scripts/bench.sh`, all of it from one run on one machine. Nanoseconds are that machine's; ratios hold elsewhere too, "
        "as far as its CPU has the same instructions for hashes and ciphers.",
        f"{BEGIN}\n{figures(output)}\n{END}",
        "![CPU time per request, and how it grows with the body](performance.svg)",
        "## Machine and versions",
        table(("what", "which"), machine() + versions(output)),
        "## How it is measured",
        "- CPU time of the server's threads from `/proc`, user and system: what the machine has to do, whoever else uses its cores.\n"
        "- HTTP over loopback: one server thread, 64 connections kept busy from another; every answer is looked at.\n"
        "- Every request is a new event with its own proof, made beforehand; in each round every variant gets the same bytes, in rotated order.\n"
        "- A ratio is taken in each round, against the reference that the column names. Figures are medians; in parentheses, the middle half of the rounds.\n"
        "- The body is a transfer of 0.7 KB; a longer one has a list of small objects that no type knows, the dearest kind for a reader that is strict everywhere.",
        "## What a request costs",
        "References check nothing: *bare axum* is a handler of `Bytes`, *`axum::Json<T>`* reads the same typed event. `opp` has bytes of its "
        "own, and a bare handler of them beside it. `again` is `full` once more: by so much two figures differ by chance. `by-hand` has no "
        "identity, no bounds and no drain: what is left to gain by less around the steps lies between it and `full`.",
        table(head, rows),
        between(output.texts["pipeline"], "metrics:"),
        *decode(output),
        "## Beside others",
        "Each that verifies had to refuse a body changed by one bit before it was measured. Every request carries the proofs of all "
        "schemes, so that all get the same bytes. None of the others claims events or reads JSON strictly.",
        *peers(output),
        "## How cost grows",
        "### With the body",
        "The whole receiver, in process, against `serde_json` that reads the same bytes into the same type and does nothing else. Bodies over 256 KiB are "
        "worked on off the runtime's threads.",
        table(("body", "µs", "ns a byte", "of `from_slice`", "of `from_str`"),
              [(size, micros(ns), each, of_slice, of_str) for size, ns, each, of_slice, of_str in output.bodies]),
        "### With the events of a batch",
        "Banking Circle: decrypt, UTF-16 to UTF-8, strict JSON, a claim and a typed event for each of 2 KB, against `serde_json::Value` of the plaintext alone.",
        table(("events", "µs an event", "of `serde_json::Value`"), output.batches),
        "### With the keys of a ring",
        "The whole receiver at 0.7 KB, in process; the delivery is signed with the last key that is tried.",
        table(("keys", "µs", "of one key"), [(keys, micros(ns), ratio) for keys, ns, ratio in output.rings]),
        "### With the keys in a store",
        "In memory, two threads, the key's hash included. `held` is claimed alone, `done` is claimed and completed. *bare* is a map of 64 shards "
        "that knows 16 bytes of a key and an expiry, and nothing of leases or answers.",
        table(("keys", "what", "new a second", "ns each", "of bare", "repeats a second", "of bare", "bytes a key", "of bare"),
              [(f"{int(keys):,}", what, f"{int(new):,}", each, of_new, f"{int(again):,}", of_again, size, of_size)
               for keys, what, new, each, of_new, again, of_again, size, of_size in output.memory]),
        "### With connections",
        "The whole receiver over HTTP, and axum's `Bytes` with as many connections. Memory is what a connection adds, hyper's buffers included.",
        table(("connections", "µs", "µs of bare axum", "of bare axum", "KB a connection", "KB of bare axum"),
              [(number, micros(ns), micros(bare), ratio, *memory) for number, ns, bare, ratio, *memory in output.connections]),
        "## Claims in Redis",
        "One server on loopback, without persistence. `redis-benchmark` has a connection for each client and no pipeline; `SET NX PX` is that command alone, by the same "
        "client library.",
        table(("tasks", "what", "a second", "of `redis-benchmark`", "of `SET NX PX`"),
              [(tasks, what, f"{int(rate):,}", of_benchmark, of_plain) for tasks, what, rate, of_benchmark, of_plain in output.redis]),
        *output.missing("claims"),
    ]
    for name, text in output.others().items():
        parts += [f"## The bench `{name}`", f"```text\n{text.strip()}\n```"]
    parts += [
        "## Again",
        "```sh\n./scripts/bench.sh                # this page, its plot and the README's figures, in some ten minutes\n"
        "./scripts/bench.sh --smoke        # does every variant answer as it must?\n"
        "cargo bench --bench pipeline      # one of them; the others are in benches/\n```",
        "It needs Linux, Python 3.11, `redis-server`, `redis-benchmark` and Postgres, and a machine that does nothing else. The package on crates.io has no benches; the repository has.",
    ]
    return "\n\n".join((part for part in parts if part)) + "\n"


def decode(output):
    if not output.decode:
        return []
    return ["## To open and to decode", "What is between the body and the store, in process, against `serde_json::Value` of the same text.",
            table(("delivery", "step", "bytes", "µs an event", "of `serde_json::Value`"),
                  [(name, step, size, micros(ns), ratio) for name, step, size, ns, ratio in output.decode])]


def picture(output):
    panels = []
    if output.peers:
        rows = output.peers["0.7 KB"]
        ours = {"verify", "verify-std", "full"}
        color = lambda name: plot.GREY if name in REFERENCES else plot.BLUE if name in ours else plot.ORANGE
        named = {"bare": "axum, Bytes", "json": "axum, Json<T>", "from-slice": "axum, from_slice", "from-str": "axum, from_str",
                 "verify": "ours: signature", "verify-std": "ours: Standard Webhooks", "full": "ours: everything, typed"}
        bars = [(named.get(name, name), float(ns) / 1000, first(ratio), color(name)) for name, _, ns, ratio, *_ in rows]
        panels.append(lambda top: plot.bars(top, "One request of 0.7 KB: grey checks nothing, blue is ours, orange are peers", bars))
    names = [(row[0], BODY[row[0]]) for row in output.bodies]
    points = lambda column: [(BODY[row[0]], first(row[column])) for row in output.bodies]
    series = [("of from_slice", plot.BLUE, points(3)), ("of from_str", plot.ORANGE, points(4))]
    http = [(BODY[size], first(next(row for row in rows if row[0] == "full")[4])) for size, rows in output.peers.items()]
    if http:
        series.append(("of axum, Json<T>", plot.GREEN, http))
    title = "Ours, everything and typed, against what reads the same type and checks nothing"
    panels.append(lambda top: plot.curves(top, title, names, series))
    return plot.svg(panels)


def check():
    if block(README.read_text()) is None or block(README.read_text()) != block(PAGE.read_text()):
        sys.exit(f"bench_report: {README} and {PAGE} have different figures: ./scripts/bench.sh --report")
    if not PICTURE.exists():
        sys.exit(f"bench_report: {PICTURE} is missing")


def main():
    mode, directory = sys.argv[1:]
    if mode == "--check":
        return check()
    output = Output(directory)
    text, drawn, lines = page(output), picture(output), figures(output)
    if mode == "--smoke":
        return check()
    readme = README.read_text()
    old = block(readme)
    if old is None:
        sys.exit(f"bench_report: {README} has no place for figures: {BEGIN}")
    PAGE.write_text(text)
    PICTURE.write_text(drawn)
    README.write_text(readme.replace(f"{BEGIN}\n{old}\n{END}", f"{BEGIN}\n{lines}\n{END}"))


if __name__ == "__main__":
    main()
