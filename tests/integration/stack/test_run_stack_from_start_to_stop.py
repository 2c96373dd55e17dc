"""`make run` as a person meets it: started, looked at, hurt, stopped, started again."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import nats
import psutil
import pytest
from nats.js.errors import NoStreamResponseError

from petrosa_site import env
from petrosa_site.stack.servers import free_port

pytestmark = pytest.mark.timeout(400)
READY = "Petrosa is ready"
PROCESSES = {"simulator", "userstream", "web", "worker", "beat", "signals"}


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
            "EMBEDDED_REDIS_PORT": str(free_port(26379)),
            "EMBEDDED_NATS_PORT": str(free_port(24222)),
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

    def wait_for(self, happened, seconds=120):
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


async def message_count(url):
    client = await nats.connect(url)
    info = await client.jetstream().stream_info("TRADING")
    await client.close()
    return info.state.last_seq


async def publish(url):
    """Publish once; the listener may still be about to create its stream."""
    client = await nats.connect(url)
    for _ in range(300):
        try:
            await client.jetstream().publish("signals.trading", b"not a signal at all")
            break
        except NoStreamResponseError:
            await asyncio.sleep(0.1)
    await client.close()


async def test_it_starts_everything_survives_a_crash_stops_all_and_keeps_data(tmp_path):
    stack = Stack(tmp_path)
    with running(stack):
        assert re.search(r"password +\S{20}", stack.said)
        with urllib.request.urlopen(f"{stack.site}/healthz") as answer:
            assert answer.status == 200
        lines = {line.split(" |")[0].strip() for line in stack.said.splitlines() if " |" in line}
        assert {"web", "simulator"} <= lines <= PROCESSES

        listener = stack.child("listen_signals")
        listener.kill()
        stack.wait_for(lambda: any("listen_signals" in " ".join(p.cmdline()) for p in alive(stack)))

        await publish(stack.embedded_nats())
        family = stack.family()
        assert len(family) > len(PROCESSES)
    assert stack.process.returncode == 0, stack.said
    assert not [process for process in family if process.is_running()]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600

    with running(stack):
        assert "password " not in stack.said
        assert await message_count(stack.embedded_nats()) == 1


def alive(stack):
    return [p for p in stack.family() if p.status() != psutil.STATUS_ZOMBIE]


def test_a_taken_port_is_named_before_anything_starts(tmp_path):
    stack = Stack(tmp_path)
    with socket.socket() as web, socket.socket() as simulator:
        for taken, name in ((web, "API_PORT"), (simulator, "SIMULATOR_PORT")):
            taken.bind(("127.0.0.1", int(stack.variables[name])))
            taken.listen()
        done = subprocess.run(
            [sys.executable, "manage.py", "run_stack"],
            env=env.for_children(**stack.variables),
            cwd=env.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode != 0
    assert f"API_PORT={stack.variables['API_PORT']}: web cannot listen" in done.stderr
    assert f"SIMULATOR_PORT={stack.variables['SIMULATOR_PORT']}: simulator" in done.stderr
    assert not (tmp_path / "petrosa.sqlite3").exists()
