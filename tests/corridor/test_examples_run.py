"""The programs in examples/ work against the running product as an outsider starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(whole, name: str, *args: str) -> str:
    """Run one example as a stranger would: no settings, only where to talk to."""
    environment = {
        "PATH": os.environ["PATH"],
        "NATS_URL": whole.nats.url,
        "PETROSA_URL": whole.site,
        "PETROSA_TOKEN": whole.token,
    }
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *args],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def story(whole, uid: str):
    answer = whole.get(f"/api/v1/signals/{uid}/")
    return answer.body if answer.status == 200 and answer.body["status"] != "received" else None


@pytest.mark.parametrize("generation", [(), ("--v1",)])
def test_a_published_signal_is_acted_on(whole, generation):
    printed = run(whole, "publish_signal.py", "--quantity", "0.001", *generation)
    uid = printed.split()[0]
    told = whole.eventually(lambda: story(whole, uid))
    assert told["status"] == "routed"
    assert told["strategy_id"] == "example_strategy"


def test_the_documented_orders_are_answered_over_rest(whole):
    printed = run(whole, "advanced_trading_example.py")
    assert printed.count("HTTP 200") + printed.count("HTTP 400") == 4
    assert "Signal processed successfully" in printed


def test_the_limits_in_force_are_told(whole):
    printed = run(whole, "constants_usage.py")
    assert "signals.max_age_seconds" in printed
    assert "max_open_positions" in printed


def test_an_example_without_its_server_says_so():
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "publish_signal.py"), "--url", "nats://127.0.0.1:1"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "No NATS server answers at nats://127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
