#!/usr/bin/env python3
"""Runs the program as its image would: alone in an empty root, without rights. Needs root, and a program that is linked
with all that it needs:

    RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --features cli --bin tower-webhook \\
        --target x86_64-unknown-linux-gnu
    scripts/container.py --program target/x86_64-unknown-linux-gnu/release/tower-webhook
"""

import argparse
import http.server
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import urllib.request

USER = 65532


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", required=True)
    program = arguments.parse_args().program
    root = tempfile.mkdtemp(prefix="tower-webhook-root-")
    try:
        run(program, root)
    finally:
        shutil.rmtree(root)
    print("ok")


def run(program, root):
    upstream = http.server.HTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    state = os.path.join(root, "var/lib/tower-webhook")
    os.makedirs(state)
    os.chown(state, USER, USER)
    os.chmod(root, 0o755)
    shutil.copy(program, os.path.join(root, "tower-webhook"))
    os.makedirs(os.path.join(root, "etc"))
    with open(os.path.join(root, "etc/hosts"), "w") as hosts:
        hosts.write("127.0.0.1 upstream.example\n")
    with open(os.path.join(root, "etc/nsswitch.conf"), "w") as names:
        names.write("hosts: files dns\n")
    # Every runtime of containers gives these devices.
    os.makedirs(os.path.join(root, "dev"))
    for name, minor in [("random", 8), ("urandom", 9)]:
        device = os.path.join(root, "dev", name)
        os.mknod(device, stat.S_IFCHR, os.makedev(1, minor))
        os.chmod(device, 0o666)
    config = os.path.join(root, "etc/receiver.toml")
    with open(config, "w") as file:
        file.write(FILE % upstream.server_port)
    os.chmod(config, 0o644)

    def enter():
        os.chroot(root)
        os.chdir("/var/lib/tower-webhook")
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)

    def start(*words):
        return subprocess.Popen(
            ["/tower-webhook", *words, "--config", "/etc/receiver.toml"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={}, text=True, preexec_fn=enter,
        )

    child = start("listen")
    try:
        first = json.loads(child.stdout.readline() or "{}")
        assert "listening" in first, child.stderr.read()
        with urllib.request.urlopen(f"http://{first['admin']}/ready") as answer:
            assert answer.status == 200
        # By a name, which a program without shared libraries must find by itself; and out of an inbox, which it must write.
        body = b'{"id": 1}'
        request = urllib.request.Request(
            f"http://{first['listening']}/x", body, {"x-token": "an example of a secret", "content-type": "text/plain"}
        )
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
        lines = [json.loads(child.stdout.readline())["verdict"] for _ in range(2)]
        assert lines == ["stored", "accepted"], lines
        assert Upstream.bodies == [body], Upstream.bodies
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=15) == 0, child.stderr.read()
    finally:
        child.kill()
        child.wait()
        upstream.shutdown()
    # Where the folder of its state is not its own it does not start: it can write nowhere else.
    os.rename(state, state + "-away")
    os.makedirs(state)
    refused = start("listen")
    assert refused.wait(timeout=15) == 1, "it wrote where it may not"


class Upstream(http.server.BaseHTTPRequestHandler):
    bodies = []

    def do_POST(self):
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


FILE = """
listen = "127.0.0.1:0"
admin = "127.0.0.1:0"
[inbox]
kind = "sqlite"
path = "/var/lib/tower-webhook/inbox.db"
quota = { free_disk = "1MiB" }
[[endpoint]]
path = "/x"
provider = "custom"
keys = [{ id = "k", value = "an example of a secret" }]
scheme = { token = true, header = "x-token" }
key = { json = "/id" }
forward_to = "http://upstream.example:%d/"
dangerous_forward_in_clear = true
"""

if __name__ == "__main__":
    main()
