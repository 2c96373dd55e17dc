"""Starting and ending: the management command, ports in use, unusable files, dead parts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from exchanges.venues.simulator.process import SimulatorDidNotStart, SimulatorProcess
from tests.fakes.venue_client import VenueClient, user_stream

ROOT = Path(__file__).resolve().parents[3]


def test_the_management_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = run_command(tmp_path, "--port", "0", "--prices", "still")
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert re.search(r"listening on http://127\.0\.0\.1:\d+", line)
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0
        process.stdout.close()


def test_the_management_command_names_a_port_in_use(tmp_path: Path) -> None:
    with SimulatorProcess(prices="still") as venue:
        process = run_command(tmp_path, "--port", str(venue.port))
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert str(venue.port) in output
    assert "SIMULATOR_PORT" in output


def test_the_management_command_names_an_unknown_price_source(tmp_path: Path) -> None:
    process = run_command(tmp_path, "--port", "0", "--prices", "magic")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "'magic' is no price source" in output


@pytest.mark.parametrize(("unlimited", "codes"), [("false", {-1015}), ("true", set())])
def test_the_management_command_throttles_unless_told_not_to(
    tmp_path: Path, unlimited: str, codes: set[int]
) -> None:
    process = run_command(tmp_path, "--port", "0", "--prices", "still", UNLIMITED=unlimited)
    assert process.stdout is not None
    try:
        found = re.search(r"listening on (http://\S+)", process.stdout.readline())
        assert found
        assert refusals(found[1]) == codes
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def refusals(address: str) -> set[int]:
    """Rest over 200 orders at once: more than 100 in ten seconds, wherever these begin."""
    client = VenueClient(SimulatorProcess(port=int(address.rpartition(":")[2])))
    replies = [
        client.try_limit("BUY", price, symbol=symbol)
        for symbol, price in (("BTCUSDT", "30000"), ("ETHUSDT", "2000"))
        for _ in range(105)
    ]
    return {reply.code for reply in replies if reply.status != 200}


def run_command(state: Path, *arguments: str, **simulator: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "petrosa_site.settings",
        "SIMULATOR_STATE_FILE": str(state / "simulator.db"),
        "ENVIRONMENT": "development",
        **{f"SIMULATOR_{name}": value for name, value in simulator.items()},
    }
    command = [sys.executable, "-m", "django", "run_simulator", *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_file_that_is_no_state_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"orders": []}' * 100)
    with pytest.raises(SimulatorDidNotStart, match="not a database"):
        SimulatorProcess(prices="still", state_file=path).start()


def test_dead_prices_end_the_process(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    good = (
        '1 {"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","p":"1","q":"1","m":true}}'
    )
    path.write_text("\n".join([good] * 3_000 + ["2 {broken"]))
    venue = SimulatorProcess(prices=f"replay:{path}?after=0").start()
    try:
        connect(f"{venue.stream_url}/stream?streams=btcusdt@trade", proxy=None)
        deadline = time.monotonic() + 60
        while venue.is_running and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not venue.is_running
        assert "prices died" in venue.errors()
    finally:
        venue.stop()


def test_an_orderly_end_announces_itself(tmp_path: Path) -> None:
    venue = SimulatorProcess(prices="still").start()
    with user_stream(VenueClient(venue)) as stream:
        began = time.monotonic()
        venue.stop()
        assert time.monotonic() - began < 3
        assert stream.event()["e"] == "serverShutdown"
        with pytest.raises(ConnectionClosed):
            stream.frame()


def test_latency_is_added_to_every_reply() -> None:
    with SimulatorProcess(prices="still", arguments=("--latency-ms", "120")) as venue:
        began = time.monotonic()
        VenueClient(venue).ask("ping")
        assert time.monotonic() - began >= 0.12


def test_only_the_asked_for_symbols_are_listed() -> None:
    with SimulatorProcess(prices="still", arguments=("--symbols", "BTCUSDT,ETHUSDT")) as venue:
        entries = VenueClient(venue).ask("exchangeInfo").json["symbols"]
    assert [entry["symbol"] for entry in entries] == ["BTCUSDT", "ETHUSDT"]
