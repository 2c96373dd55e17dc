"""Worker and listener die by SIGKILL in the middle of a thousand signals; nothing is lost or
doubled, and our books equal the venue's."""

from __future__ import annotations

import time

import pytest

from tests.chaos import ledger, load
from tests.product import PROCESSES, product

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
COUNT = 1000


def test_each_signal_trades_once_whatever_dies(tmp_path, tell):
    payloads = load.signals(COUNT, "crash")
    with product(tmp_path, **load.ACCOUNT) as whole:
        opening = ledger.balances(whole.venue.control("ledger"))
        whole.start(*PROCESSES)
        whole.wait_until_ready()
        sender = load.Sender(whole.nats.url, payloads, per_second=60)
        started = time.monotonic()
        sender.start()
        for share in (0.25, 0.5, 0.75):
            whole.eventually(lambda share=share: decided(whole) > COUNT * share, 120)
            whole.kill("worker", "signals")
            time.sleep(0.5)
            whole.start("worker", "signals")
        sender.finish()
        load.wait_until_settled(whole, COUNT, 180)
        took = time.monotonic() - started
        whole.stop("signals", "beat", "worker", "userstream")

        outcomes = load.assert_each_signal_has_one_outcome(whole, payloads)
        figures = ledger.assert_equal_books(whole, opening)
        repeats = whole.value("SELECT count(*) FROM audit_event WHERE kind = 'signal.repeated'")
    tell(seconds=f"{took:.1f}", repeats_sent=sender.repeated, repeats_seen=repeats, **figures)
    tell(**outcomes)
    assert sender.repeated == COUNT // 10
    assert repeats >= sender.repeated // 2
    assert outcomes["FILLED"] >= COUNT * 0.98


def decided(whole):
    return whole.value("SELECT count(*) FROM signals_app_signal WHERE status <> 'received'")
