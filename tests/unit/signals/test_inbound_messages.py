"""What the intake is told about a bus message."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from signals_app.gateways.nats import InboundMessage
from signals_app.listener import as_inbound

STORED_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def delivered(**told: Any) -> InboundMessage:
    about: dict[str, Any] = {
        "data": b"{}",
        "subject": "signals.trading",
        "msg_id": "",
        "stream": "TRADING",
        "stream_sequence": 7,
        "delivered_count": 1,
        "stored_at": STORED_AT,
        "received_at": STORED_AT + timedelta(hours=1),
        "_client": None,
        "_reply": "",
    }
    return InboundMessage(**(about | told))


def test_after_an_outage_a_signal_counts_from_when_the_bus_took_it():
    assert as_inbound(delivered()).received_at == STORED_AT


def test_a_bus_clock_ahead_of_ours_makes_no_signal_from_the_future():
    now = STORED_AT - timedelta(seconds=3)
    assert as_inbound(delivered(received_at=now)).received_at == now


def test_a_redelivery_is_the_same_signal():
    first, again = as_inbound(delivered()), as_inbound(delivered(delivered_count=2))
    assert first.fallback_uid == again.fallback_uid
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", first.fallback_uid)


@pytest.mark.parametrize(
    "other",
    [
        {"stream_sequence": 8},
        {"stream": "OTHER"},
        {"stored_at": STORED_AT + timedelta(days=1)},  # the stream was made anew and counts again
    ],
)
def test_another_message_is_another_signal(other):
    assert as_inbound(delivered()).fallback_uid != as_inbound(delivered(**other)).fallback_uid


def test_a_long_stream_name_still_makes_a_short_uid():
    message = delivered(stream="Ü weird/" * 30, stream_sequence=10**12)
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", as_inbound(message).fallback_uid)


def test_a_message_id_names_the_sending():
    assert as_inbound(delivered(msg_id="run-7")).dedupe_key == "nats:run-7"
    assert as_inbound(delivered()).dedupe_key == ""


@pytest.mark.parametrize("msg_id", ["x" * 500, "a\x00b", "ünïcode", "\ud800"])
def test_an_odd_message_id_fits_its_column(msg_id):
    key = as_inbound(delivered(msg_id=msg_id)).dedupe_key
    assert key.isascii()
    assert len(key) <= 200
