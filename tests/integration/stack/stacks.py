"""`make run` in a folder and on ports of its own, for tests that treat it as a person would."""

import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil

from petrosa_site import env
from petrosa_site.stack.ports import free_port

READY = "Petrosa is ready"


class Stack:
    """A run_stack child with its own folder and ports."""

    def __init__(self, folder):
        self.folder = folder
        self.output = folder / "console.txt"
        self.variables = {
            "PETROSA_VAR_DIR": str(folder),
            "API_HOST": "127.0.0.1",
            "API_PORT": str(free_port()),
            "SIMULATOR_PORT": str(free_port()),
            "STRATEGIES_PORT": str(free_port()),
            "EMBEDDED_REDIS_PORT": str(free_port()),
            "EMBEDDED_NATS_PORT": str(free_port()),
            "REDIS_URL": "",
            "NATS_URL": "",
            "DATABASE_URL": "",
            "DJANGO_SECRET_KEY": "",
            "PROMETHEUS_MULTIPROC_DIR": "",
            "LOG_FORMAT": "",
            "LOG_LEVEL": "INFO",
        }

    @property
    def site(self):
        return f"http://127.0.0.1:{self.variables['API_PORT']}"

    @property
    def said(self):
        return self.output.read_text()

    def start(self):
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_stack"],
                env=env.for_children(**self.variables),
                cwd=env.BASE_DIR,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for(lambda: READY in self.said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said

    def wait_for(self, happened, seconds=300):
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, words):
        return next(p for p in self.family() if words in " ".join(p.cmdline()))

    def embedded_nats(self):
        return re.findall(r"nats +(nats://\S+)", self.said)[-1]

    def refusal(self):
        """Start once more, and return why that was refused."""
        done = subprocess.run(
            [sys.executable, "manage.py", "run_stack"],
            env=env.for_children(**self.variables),
            cwd=env.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode != 0
        return done.stderr

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(120)


@contextmanager
def running(stack):
    stack.start()
    try:
        yield
    finally:
        stack.interrupt()
