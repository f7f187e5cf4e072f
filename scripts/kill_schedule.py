#!/usr/bin/env python3
"""Two listeners on one Redis, killed and frozen by a seeded schedule while every event is sent many times over.

    scripts/kill_schedule.py [--program PATH] [--events 500] [--copies 50] [--seconds 40] [--seed 1] [--control]

The program plays Aella's side and the upstream, and shares no code with the receiver. Each upstream call is written into two
ledgers: one that takes a key once, and one that takes only a fence larger than the last. It ends with one JSON object on
stdout, and with 0 only if every event had its effect once, every copy was answered 2xx in the end, and no event was called
again but for a kill or a freeze: with a higher fence and before its sender had a 2xx, or late with a lower fence, which a
ledger refuses.

With --control each listener has a memory of its own: events are then called again though nothing died, and it must fail,
which is exit code 3.
"""

import argparse
import collections
import hashlib
import hmac
import http.client
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from processes import Process, fail, free_port, redis_server

SECRET = "ae_sk_test_example"
LEASE_S = 4
# Longer than the lease for a listener, so that another takes its events. For Redis shorter than the 2 s after which a finished
# event is answered though its mark is missing: a listener killed in that window forgets it, as the documentation says.
FREEZE_LISTENER_S, FREEZE_REDIS_S = 6.0, 1.5
HANDLER_FAILURES = 0.01
HANDLER_S = 0.4


class Ledgers:
    """What the upstream was called with, and what a ledger by key and a ledger by fence made of it."""

    def __init__(self, seed):
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.answered = set()  # keys whose sender has had a 2xx
        self.fences = collections.defaultdict(list)
        self.calls = self.failed = 0
        self.failing = {}  # key: the fence of the call that failed on purpose
        self.by_key = set()
        self.by_key_refused = 0
        self.by_fence = collections.defaultdict(list)
        self.by_fence_refused = 0
        self.again_higher = self.again_late = self.handled_twice = 0

    def call(self, key, fence):
        """Whether the call succeeds. A failing handler has no effect."""
        with self.lock:
            self.calls += 1
            before, after_answer = self.fences[key], key in self.answered
            if before:
                if fence > max(before) and not after_answer:
                    self.again_higher += self.failing.get(key) != max(before)
                elif fence < max(before) and fence not in before:
                    self.again_late += 1
                else:
                    self.handled_twice += 1
            before.append(fence)
            if len(before) == 1 and self.random.random() < HANDLER_FAILURES:
                self.failed += 1
                self.failing[key] = fence
                return False
            if key in self.by_key:
                self.by_key_refused += 1
            self.by_key.add(key)
            row = self.by_fence[key]
            if row and fence <= row[-1]:
                self.by_fence_refused += 1
            else:
                row.append(fence)
            return True


def upstream(ledgers):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            works = ledgers.call(self.headers["tower-webhook-key"], int(self.headers["tower-webhook-fence"]))
            time.sleep(ledgers.random.uniform(0, HANDLER_S))
            self.send_response(200 if works else 500)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):  # a listener that was killed in the middle of a call
            pass

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def delivery(number):
    body = json.dumps({"event": "transfer.completed", "timestamp": "2024-12-06T14:00:00Z",
                       "data": {"id": f"e{number}", "status": "Success", "amount": 10000}}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()
    return body, {"x-aella-signature": signature, "content-type": "application/json"}


class Senders:
    """Sends each copy again until it is answered 2xx, as a patient provider does."""

    def __init__(self, ports, ledgers, plan, deadline, count=96):
        self.ports, self.ledgers, self.plan, self.deadline = ports, ledgers, plan, deadline
        self.lock = threading.Lock()
        self.statuses = collections.Counter()
        self.unsettled = 0
        self.threads = [threading.Thread(target=self.work, args=(at,), daemon=True) for at in range(count)]
        self.begin = time.monotonic()
        for thread in self.threads:
            thread.start()

    def work(self, at):
        connections = {}
        while True:
            with self.lock:
                if not self.plan:
                    return
                due, number, port = self.plan.popleft()
            time.sleep(max(0.0, self.begin + due - time.monotonic()))
            if not self.deliver(connections, number, port):
                with self.lock:
                    self.unsettled += 1

    def deliver(self, connections, number, port):
        body, headers = delivery(number)
        pause = 0.05
        while time.monotonic() < self.deadline:
            status = self.post(connections, port, body, headers)
            with self.lock:
                self.statuses[status] += 1
            if 200 <= status < 300:
                with self.ledgers.lock:
                    self.ledgers.answered.add(f"transfer.completed|e{number}")
                return True
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
            port = self.ports[(self.ports.index(port) + 1) % len(self.ports)]
        return False

    @staticmethod
    def post(connections, port, body, headers):
        """The status, or 0 for a connection that failed: what came of it is unknown."""
        connection = connections.pop(port, None) or http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        try:
            connection.request("POST", "/aella", body, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return 0
        if not response.will_close:
            connections[port] = connection
        return response.status


def schedule(seed, seconds, listeners, redis):
    """Hurts the processes until the time is over, a frozen one left alone until it thaws. Returns how often it did what."""
    dice, done, frozen = random.Random(seed), collections.Counter(), {}
    deeds = ["kill_listener"] * 5 + ["freeze_listener"] + (["kill_redis", "freeze_redis"] if redis else [])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.2, 1.0))
        deed = dice.choice(deeds)
        victim = redis if deed.endswith("redis") else dice.choice(listeners)
        if victim in frozen and frozen[victim].is_alive():
            continue
        done[deed] += 1
        if deed.startswith("kill"):
            victim.kill()
        else:
            time_s = FREEZE_REDIS_S if victim is redis else FREEZE_LISTENER_S
            frozen[victim] = threading.Thread(target=victim.freeze, args=(time_s,))
            frozen[victim].start()
    for thread in frozen.values():
        thread.join()
    return done


def start(options, folder, ledger_port):
    redis = None
    dedupe = 'kind = "memory"'
    if not options.control:
        redis = redis_server(folder)
        dedupe = f'kind = "redis"\nurl = "redis://127.0.0.1:{redis.port}"'
    listeners = []
    for at in range(2):
        port = free_port()
        config = os.path.join(folder, f"listener{at}.toml")
        with open(config, "w") as file:
            file.write(f'listen = "127.0.0.1:{port}"\n[dedupe]\n{dedupe}\nlease = "{LEASE_S}s"\n'
                       f'[[endpoint]]\npath = "/aella"\nname = "aella"\nprovider = "aella"\n'
                       f'keys = [{{ id = "k", value = "{SECRET}" }}]\n'
                       f'forward_to = "http://127.0.0.1:{ledger_port}/"\nforward_timeout = "10s"\n')
        command = [options.program, "listen", "--config", config]
        listeners.append(Process(f"listener{at}", port, command, folder))
    return listeners, redis


def run(options):
    folder = tempfile.mkdtemp(prefix="kill-schedule-")
    ledgers = Ledgers(options.seed)
    server = upstream(ledgers)
    listeners, redis = start(options, folder, server.server_address[1])
    try:
        dice = random.Random(options.seed + 1)
        ports = [listener.port for listener in listeners]
        begins = {number: dice.uniform(0, options.seconds * 0.9) for number in range(options.events)}
        copies = [(begins[number] + dice.choice([0.0, dice.uniform(0, options.seconds * 0.1)]), number, dice.choice(ports))
                  for number in range(options.events) for _ in range(options.copies)]
        deadline = time.monotonic() + options.seconds * 3 + 90
        senders = Senders(ports, ledgers, collections.deque(sorted(copies)), deadline)
        done = schedule(options.seed, options.seconds, listeners, redis)
        for thread in senders.threads:
            thread.join()
        # What a frozen listener still had in hand comes late, if it comes: give it a lease.
        time.sleep(LEASE_S)
        return report(options, ledgers, senders, done)
    finally:
        for process in [*listeners, *([redis] if redis else [])]:
            process.end()
        server.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def report(options, ledgers, senders, done):
    with ledgers.lock:
        lost = options.events - len(ledgers.by_key)
        doubled_by_fence = sum(len(row) > 1 for row in ledgers.by_fence.values())
        figures = {
            "seed": options.seed, "events": options.events, "deliveries": options.events * options.copies,
            "requests": sum(senders.statuses.values()), "hurt": dict(done),
            "statuses": {str(status): count for status, count in sorted(senders.statuses.items())},
            "calls": ledgers.calls, "failed_on_purpose": ledgers.failed,
            "lost": lost, "unsettled": senders.unsettled, "handled_twice": ledgers.handled_twice,
            "called_again_higher_fence": ledgers.again_higher, "called_late_lower_fence": ledgers.again_late,
            "refused_by_key_ledger": ledgers.by_key_refused, "refused_by_fence_ledger": ledgers.by_fence_refused,
            "doubled_in_fence_ledger": doubled_by_fence,
        }
    print(json.dumps(figures))
    return 3 if lost or senders.unsettled or ledgers.handled_twice else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/tower-webhook")
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--copies", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", action="store_true")
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        fail(f"{options.program} is missing: cargo build --release --features cli")
    sys.exit(run(options))


if __name__ == "__main__":
    main()
