"""Processes on ports of this machine, for the scripts beside this one."""

import glob
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

    def __init__(self, name, port, command, folder, user=None):
        self.name, self.port, self.command, self.user = name, port, command, user
        self.log = open(os.path.join(folder, f"{name}.log"), "ab")
        self.start()

    def start(self):
        silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": self.log}
        self.child = subprocess.Popen(self.command, user=self.user, **silent)
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


def postgres_server(folder):
    """A server of one's own, by Debian's newest. It does not serve root, so that there it is its own user's."""
    versions = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda programs: int(programs.split("/")[4]))
    if not versions:
        fail("PostgreSQL's initdb is missing: install postgresql")
    user = "postgres" if os.getuid() == 0 else None
    data = os.path.join(folder, "postgres")
    os.mkdir(data)
    if user:
        os.chmod(folder, 0o711)
        shutil.chown(data, user)
    command = [f"{versions[-1]}/initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(command, user=user, cwd="/", stdout=subprocess.DEVNULL, check=True)
    port = free_port()
    command = [f"{versions[-1]}/postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    return Process("postgres", port, [*command, "-c", "unix_socket_directories="], folder, user)
