"""Processes on ports of this machine, for the scripts beside this one."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time


def fail(why):
    sys.exit(f"{os.path.basename(sys.argv[0]).removesuffix('.py')}: {why}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            fail(f"a process ended at its start with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    fail("a process does not listen")


class Process:
    """A child on a fixed port, which can be killed, started again, and frozen. What it complains of is in a file of the folder."""

    def __init__(self, name, port, command, folder):
        self.name, self.port, self.command = name, port, command
        self.log = open(os.path.join(folder, f"{name}.log"), "ab")
        self.start()

    def start(self):
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        wait_for_port(self.port, self.child)

    def kill(self):
        self.child.kill()
        self.child.wait()
        self.start()

    def freeze(self, seconds):
        self.child.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.child.send_signal(signal.SIGCONT)

    def end(self):
        self.child.kill()
        self.child.wait()
        self.log.close()


def redis_server(folder):
    """A server of one's own, which writes down what it is told."""
    if not shutil.which("redis-server"):
        fail("redis-server is missing: install it")
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
    return Process("redis", port, [*command, "--appendonly", "yes", "--appendfsync", "everysec"], folder)
