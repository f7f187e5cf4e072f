#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets that have no others by hand: small ones, from fixtures, vectors and the lists below.

    scripts/fuzz_seeds.py
"""
import itertools
import json
import re
import struct
from pathlib import Path

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "fuzz/seeds"
FIXTURES = ROOT / "tests/fixtures"

# In the order of `fuzz/src/decode.rs`.
PROVIDERS = ["aella", "opp", "sibs", "banking-circle", "standard-webhooks", "mambu", "custom"]


def write(target, seeds):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in seeds.items():
        (folder / name).write_bytes(seed if isinstance(seed, bytes) else seed.encode())


def numbered(seeds):
    return {f"{number:02}": seed for number, seed in enumerate(seeds)}


def decode():
    seeds = {}
    for who, provider in enumerate(PROVIDERS):
        head = bytes([who, 0, 0]) + b"webhook-id: msg_1\nwebhook-timestamp: 1700000000\n\n"
        files = sorted((FIXTURES / provider).glob("*.json")) if provider != "custom" else []
        for file in files:
            seeds[f"{provider}-{file.stem}"] = head + file.read_bytes()
        seeds[f"{provider}-small"] = head + b'{"id":"7","event":"paid","type":"PAYMENT","data":{"id":"7"}}'
    return seeds


def configurations():
    """Those of the vectors, and every example of the page that describes them."""
    index = json.loads((ROOT / "vectors/index.json").read_text())
    seeds = {name: configuration["toml"] for name, configuration in index["configurations"].items()}
    page = (ROOT / "docs/configuration.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", page, re.S)
    return seeds | {f"page-{number:02}": example for number, example in enumerate(examples)}


def keys():
    pems = {file.stem: file.read_bytes() for file in (FIXTURES / "asymmetric").glob("*.pem")}
    jwk = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
    return pems | {"ed25519.jwk": jwk}


def records():
    texts = ["3:x-a1:1", "3:x-a0:", "0:0:", "99:x", "-1:x", "1:\u00e93:abc", "18446744073709551616:x", ":"]
    numbers = [6, -1, 2**63 - 1]
    questions = itertools.cycle(range(9))
    seeds = {f"headers-{number}": bytes([0, next(questions)]) + text.encode() for number, text in enumerate(texts)}
    for column in range(3, 16):
        for number in numbers:
            seeds[f"column-{column}-{number}"] = bytes([column, next(questions)]) + struct.pack("<q", number)
    return seeds


def main():
    write("amount", numbered(["0", "-0.00", "92.00", "999999999999999999.9999999999", '"9\\u0032.5"', " 1 ", "1e3", "01", "1."]))
    write("hex", numbered(["", "00fFaB", "0x00", "000", "00 0", "ab" * 12, "AB" * 32, "ab" * 1030 + "g"]))
    write("base64", numbered(["", "AA==", "AAA=", "AB==", "-_-_", "AAAAAAAAAAAAAAAA", "A" * 43 + "=", "AAAA\n", "=" * 4]))
    write("utf16", numbered([b"{\0}\0", b"\xff\xfe{\0}\0", b"\x3c\xd8\xe6\xdf", b"\x3c\xd8", b"{\0}", b"a\0" * 40 + b"\xac\x20"]))
    pair = "dXNlcjpwYXNzd29yZA=="
    write("basic", numbered([f"Basic {pair}", f"bAsIc   {pair} ", f"Basic {pair}\nBasic {pair}", f"Basic\t{pair}", "Basic", "Bearer x", f"Basic {pair[:-1]}"]))
    lines = ["10.0.0.1", "1.2.3.4, 10.0.0.1", "10.0.0.1\n1.2.3.4:80", "[2001:db8::1]:80, ::ffff:10.0.0.1", "unknown", "", ",", "10.0.0.1,,"]
    write("forwarded", {f"{hops}-{number}": bytes([hops]) + line.encode() for hops in [0, 1, 2, 5] for number, line in enumerate(lines)})
    lists = ["v1,\1", "v1,x v1,\1", "v2,\1", "v1,\1 v1,\1", "v1, \1", "v1," + " v1," * 17, "\tv1,\1 "]
    params = ["t=\2,v1=\1", "v1=\1,t=\2", "t=\2,t=\2,v1=\1", "t=\2,v1=x,v1=\1,v0=y", " t=\2 , v1=\1 ", "t=,v1=\1", "t=1,v1=\1"]
    write("signatures", {f"list-{n}": "\0" + text for n, text in enumerate(lists)} | {f"params-{n}": "\1" + text for n, text in enumerate(params)})
    times = ["1700000000", "1699999700", "1699999699", "1700000060", "1700000061", "1700000000000", "01700000000", "+1700000000", "1.7e9", "18446744073709551616", " 1700000000"]
    write("timestamp", numbered(times))
    write("standard", numbered(["msg_1\n\2\nv1,\1\n{}", "msg_1\n\2\nv1,x v1,\1\n", "a.b\n\2\nv1,\1\n{}", "m\n0\2\nv1,\1\n", "m\n+\2\nv1,\1\nx", "m\n\2\nv1a,\1\n{}", "m\n1\nv1,\1\n"]))
    body = '{"iv":"\1","tag":"\2","body":"\3"}'
    write("envelope", {"body": "\0" + body, "body-more": '\0 {"x":[1],"tag":"\2","iv":"\1","body":"\3"}\n', "body-twice": '\0{"iv":"\1","iv":"\1","tag":"\2","body":"\3"}',
        "headers": "\1\1\n\2\n\3", "headers-wrapped": '\1\1\n\2\n{"body":"\3"}', "headers-spaces": "\1\1 \n\2\n \3\n", "swapped": "\1\2\n\1\n\3"})
    write("decode", decode())
    write("config", configurations())
    write("key", keys())
    write("record", records())
    changes = [(0, 0, 0, 0), (0, 18, 0, 2), (0, 100, 5, 1), (4, 0, 6, 0), (8, 0, 6, 255), (12, 0, 7, 0), (0, 60, 0, 9), (0, 68, 0, 0)]
    write("file", numbered([b""] + [bytes(change) for change in changes] + [bytes(sum(changes[:4], ()))]))


main()
