"""Calls to the venue block; they must not block the loop that serves everybody."""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone
from rest_framework.authtoken.models import Token

from petrosa_site.stack.ports import free_port
from tests import processes
from trading.services.money import accounts

pytestmark = pytest.mark.django_db(transaction=True)
SLOW_MS = 4000


def ask(
    port: int, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, float]:
    """Return the status and how long it took."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        response.read()
        return response.status, time.monotonic() - started
    finally:
        connection.close()


def trade(port: int, key: str) -> tuple[int, float]:
    body = {
        "strategy_id": "slow",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.9,
        "quantity": 0.001,
        "timestamp": timezone.now().isoformat(),
    }
    return ask(port, "POST", "/trade", body, Authorization=f"Token {key}")


def test_pages_answer_while_trades_wait_for_the_venue(operator, simulator, tmp_path):
    accounts.ensure_first()
    key = Token.objects.create(user=operator).key
    port = free_port()
    with (
        processes.manage("serve", "--host", "127.0.0.1", "--port", str(port), log=tmp_path / "log"),
        ThreadPoolExecutor(2) as pool,
    ):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if ask(port, "GET", "/healthz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        assert trade(port, key)[0] == 200  # everything is loaded
        simulator.fault("delay", path="/api/v3/order", method="POST", delay_ms=SLOW_MS, count=2)
        waiting = [pool.submit(trade, port, key) for _ in range(2)]
        time.sleep(0.5)

        looks = 0
        while not any(one.done() for one in waiting):
            assert ask(port, "GET", "/healthz")[0] == 200
            looks += 1
        assert looks > 1  # the first one alone may have waited as long as the trades
        for one in waiting:
            status, seconds = one.result()
            assert status == 200
            assert seconds > SLOW_MS / 1000
