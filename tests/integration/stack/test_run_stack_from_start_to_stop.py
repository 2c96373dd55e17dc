"""`make run` as a person meets it: started, looked at, hurt, stopped, started again."""

import re
import socket
import urllib.request

import nats
import psutil
import pytest

from tests.integration.stack.stacks import Stack, running

pytestmark = pytest.mark.timeout(400)
PROCESSES = {
    "simulator",
    "userstream",
    "market",
    "web",
    "worker",
    "analysis",
    "backtests",
    "exits",
    "beat",
    "signals",
    "strategies",
}


async def message_count(url):
    client = await nats.connect(url)
    info = await client.jetstream().stream_info("TRADING")
    await client.close()
    return info.state.last_seq


async def publish(url):
    """Publish once, without patience: whoever is told "ready" is heard."""
    client = await nats.connect(url)
    await client.jetstream().publish("signals.trading", b"not a signal at all")
    await client.close()


async def test_it_starts_everything_survives_a_crash_stops_all_and_keeps_data(tmp_path):
    stack = Stack(tmp_path)
    with running(stack):
        await publish(stack.embedded_nats())
        assert re.search(r"password +\S{20}", stack.said)
        with urllib.request.urlopen(f"{stack.site}/healthz") as answer:
            assert answer.status == 200
        lines = {line.split(" |")[0].strip() for line in stack.said.splitlines() if " |" in line}
        assert {"web", "simulator"} <= lines <= PROCESSES

        listener = stack.child("listen_signals")
        listener.kill()
        stack.wait_for(lambda: any("listen_signals" in " ".join(p.cmdline()) for p in alive(stack)))

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
    with socket.socket() as web, socket.socket() as simulator, socket.socket() as strategies:
        for taken, name in (
            (web, "API_PORT"),
            (simulator, "SIMULATOR_PORT"),
            (strategies, "STRATEGIES_PORT"),
        ):
            taken.bind(("127.0.0.1", int(stack.variables[name])))
            taken.listen()
        refusal = stack.refusal()
    assert f"API_PORT={stack.variables['API_PORT']}: web cannot listen" in refusal
    assert f"SIMULATOR_PORT={stack.variables['SIMULATOR_PORT']}: simulator" in refusal
    assert f"STRATEGIES_PORT={stack.variables['STRATEGIES_PORT']}: strategies" in refusal
    assert not (tmp_path / "petrosa.sqlite3").exists()
