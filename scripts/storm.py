#!/usr/bin/env python3
"""A storm of events against a listener that is killed meanwhile, and started again.

    scripts/storm.py [--program PATH] [--events 50000] [--store memory|redis|inbox|postgres] [--kills 0] [--seed 1]
        [--faults LIST] [--concurrency 64] [--time 100x]

It starts a private redis-server or PostgreSQL where it is asked to, a listener for all providers, and the program's own storm, which plays the
providers and the service behind the listener, with its usual 20 % of duplicates, 5 % of bad input and 1 % of handler failures. Kills
are spread over the run. It ends with the storm's JSON object on stdout, with the kills and the listener's memory added, and with 0
only if nothing was lost, handled twice, taken or refused wrongly, or left unsettled, and if no more was called again than handlers
that failed and kills explain: what was in hand at each kill, and that is at most as many requests as there are at once.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from processes import Process, fail, free_port, postgres_server, redis_server

KEYS = {
    "aella": 'keys = [{ id = "new", value = "ae_sk_test_example" }, { id = "next", value = "ae_sk_test_another_one" },'
    ' { id = "old", value = "ae_sk_test_older_one", not_after = "2025-12-01T00:00:00Z" }]',
    "opp": f'keys = [{{ id = "k", value = "{"000102030405060708090a0b0c0d0e0f" * 2}" }}]',
    "sibs": 'keys = [{ id = "k", value = "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=" }]',
    "banking_circle": 'keys = [{ id = "k", value = "sim-bc-notification-key-32-chars" }]',
    "standard_webhooks": 'keys = [{ id = "k", value = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" }]',
    "mambu": 'basic_auth = [{ username = "mambu", password = { value = "correct horse" } }]',
}
# A killed listener's leases end by then.
LEASE = "2s"


def configuration(listen, upstream, store):
    endpoints = [
        f'[[endpoint]]\npath = "/{name}"\nprovider = "{name}"\n{keys}\nforward_to = "http://127.0.0.1:{upstream}/"\n'
        for name, keys in KEYS.items()
    ]
    return f'listen = "127.0.0.1:{listen}"\n{store}\n' + "".join(endpoints)


def memory_mib(child):
    with open(f"/proc/{child.pid}/status") as status:
        peak = next((line for line in status if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return round(int(peak.split()[1]) / 1024, 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="target/debug/tower-webhook")
    parser.add_argument("--events", type=int, default=50000)
    parser.add_argument("--store", choices=["memory", "redis", "inbox", "postgres"], default="memory")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default="")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--time", default="100x")
    given = parser.parse_args()
    folder, processes = tempfile.mkdtemp(prefix="storm-"), []
    try:
        sys.exit(run(given, folder, processes))
    finally:
        for process in processes:
            process.end()
        shutil.rmtree(folder, ignore_errors=True)


def run(given, folder, processes):
    listen, upstream = free_port(), free_port()
    store = f'[dedupe]\nlease = "{LEASE}"\nkind = "memory"\ncapacity = {2 * given.events + 100000}'
    if given.store == "inbox":
        # Of an owner that is gone no lease is waited for.
        store = '[inbox]\nkind = "sqlite"\npath = "inbox.db"'
    if given.store == "postgres":
        postgres = postgres_server(folder)
        processes.append(postgres)
        url = f"postgres://tester@127.0.0.1:{postgres.port}/postgres?sslmode=disable"
        store = f'[inbox]\nkind = "postgres"\nurl = "{url}"\nlease = "{LEASE}"'
    if given.store == "redis":
        redis = redis_server(folder)
        processes.append(redis)
        store = f'[dedupe]\nlease = "{LEASE}"\nkind = "redis"\nurl = "redis://127.0.0.1:{redis.port}"'
    config = os.path.join(folder, "receiver.toml")
    with open(config, "w") as file:
        file.write(configuration(listen, upstream, store))
    command = [given.program, "listen", "--quiet-payloads", "--config", config]
    listener = Process("listener", listen, command, folder)
    processes.append(listener)
    command = [given.program, "storm", "--config", config, "--to", f"http://127.0.0.1:{listen}"]
    command += ["--upstream", f"127.0.0.1:{upstream}", "--seed", str(given.seed), "--events", str(given.events)]
    command += ["--faults", given.faults, "--concurrency", str(given.concurrency), "--time", given.time]
    storm = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
    began = time.monotonic()
    ended = threading.Event()
    kills = 0

    def kill():
        nonlocal kills
        while kills < given.kills and not ended.wait(given.every):
            kills += 1
            listener.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        out, _ = storm.communicate()
    finally:
        storm.kill()
        ended.set()
        killer.join()
    report = json.loads(out)
    seconds = time.monotonic() - began
    report.update(kills=kills, listener_mib=memory_mib(listener.child), seconds=round(seconds, 1))
    print(json.dumps(report))
    if kills < given.kills:
        fail(f"only {kills} of {given.kills} kills: take more events, or --every")
    failures = (0.1 if given.faults else 0.03) * given.events
    if report["called_again"] > failures + kills * given.concurrency:
        fail("more was called again than failures and kills explain")
    return storm.returncode


main()
