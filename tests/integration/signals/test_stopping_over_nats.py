"""A request on the control subject stops trading; one that is not understood says which field."""

from __future__ import annotations

import asyncio
import json
import time
import uuid

import nats
import pytest
import redis
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings

from audit.models import Event
from signals_app import nats_control
from signals_app.models import Signal
from tests import processes
from trading.models import TradingState
from trading.services.control import circuit_breakers

STOP = {"command": "stop", "by": "ann"}


def obey(payload) -> dict:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    reply = nats_control.obey(body)
    json.dumps(reply)
    return reply


@pytest.mark.django_db
class TestACommand:
    def test_it_stops_everything_and_tells_what_holds(self):
        reply = obey({**STOP, "level": "HALT_NEW", "reason": "odd prices"})

        assert (reply["ok"], reply["mode"]) == (True, "HALTED")
        assert (reply["state"]["scope"], reply["state"]["reason"]) == ("global", "odd prices")
        assert [s["id"] for s in reply["states"]] == [TradingState.objects.get().pk]
        assert Event.objects.get(kind="control.engaged").actor == "ann (nats)"

    def test_it_keeps_to_a_place_and_to_a_time(self):
        obey({**STOP, "level": "FLATTEN", "scope": "symbol", "key": "btcusdt", "expires_in": 90})

        state = TradingState.objects.get()
        assert (state.mode, state.scope, state.key) == ("FLATTEN", "symbol", "BTCUSDT")
        assert state.expires_at is not None
        assert 80 < (state.expires_at - state.engaged_at).total_seconds() < 91

    def test_twice_is_once(self):
        assert obey(STOP)["state"]["id"] == obey(STOP)["state"]["id"]

    def test_a_state_can_be_asked_for(self):
        obey(STOP)
        reply = obey({"command": "status", "by": "ben"})

        assert (reply["ok"], reply["mode"], len(reply["states"])) == (True, "HALTED", 1)
        assert Event.objects.get(kind="control.asked").actor == "ben (nats)"

    @pytest.mark.parametrize(
        ("payload", "field"),
        [
            (b"not json", "command"),
            (b"[1]", "command"),
            (b"\x00\xff", "command"),
            (b"x" * 20_000, "command"),
            (b"[" * 9_000, "command"),
            ({"by": "ann"}, "command"),
            ({"command": "release", "by": "ann"}, "command"),
            ({"command": 7, "by": "ann"}, "command"),
            ({"command": "stop"}, "by"),
            ({"command": "stop", "by": " "}, "by"),
            ({"command": "stop", "by": "a\x00n"}, "by"),
            ({**STOP, "mode": "FLATTEN"}, "mode"),
            ({**STOP, "level": "ACTIVE"}, "level"),
            ({**STOP, "level": "STOP"}, "level"),
            ({**STOP, "scope": "moon"}, "scope"),
            ({**STOP, "key": "BTCUSDT"}, "key"),
            ({**STOP, "scope": "symbol"}, "key"),
            ({**STOP, "scope": "venue", "key": "moon"}, "key"),
            ({**STOP, "scope": "account", "key": "nobody"}, "key"),
            ({**STOP, "reason": "x" * 501}, "reason"),
            ({**STOP, "reason": ["x"]}, "reason"),
            ({**STOP, "expires_in": 0}, "expires_in"),
            ({**STOP, "expires_in": "soon"}, "expires_in"),
            ({**STOP, "expires_in": True}, "expires_in"),
            ({**STOP, "expires_in": 1e300}, "expires_in"),
        ],
    )
    def test_what_is_not_understood_names_the_field_and_stops_nothing(self, payload, field):
        reply = obey(payload)

        assert (reply["ok"], reply["error"]["field"]) == (False, field)
        assert reply["error"]["message"]
        assert not TradingState.objects.exists()
        assert Event.objects.filter(kind="control.refused").count() == 1


@pytest.mark.django_db(transaction=True)
class TestTheListener:
    @pytest.fixture
    def control(self, tmp_path):
        """Start a listener with subjects of its own; yields its control subject."""
        mark = uuid.uuid4().hex
        subject = f"control.test.{mark}"
        with processes.manage(
            "listen_signals",
            log=tmp_path / "listener.log",
            NATS_CONTROL_SUBJECT=subject,
            NATS_SIGNAL_SUBJECT=f"signals.test.{mark}",
            NATS_LEGACY_SUBJECT=f"signals.test.{mark}.legacy",
            NATS_DURABLE=f"d-{mark}",
        ):
            yield subject

    def test_it_answers_while_signals_flood(self, control):
        reply, stored = _ask_in_a_flood(control, {**STOP, "level": "REDUCE_ONLY"})

        assert reply["mode"] == "REDUCE_ONLY"
        assert TradingState.objects.get().engaged_by == "ann (nats)"
        assert stored < 5000  # it did not wait for them

    def test_it_tells_the_breakers_how_much_waits(self, control):
        store = redis.Redis.from_url(settings.REDIS_URL)
        for _ in range(900):
            if store.get(circuit_breakers.BACKLOG_KEY) == b"0":
                return
            time.sleep(0.1)
        raise AssertionError("nothing was told")


@async_to_sync
async def _ask_in_a_flood(subject: str, payload: dict) -> tuple[dict, int]:
    client = await nats.connect(settings.NATS_URL)
    await _until_it_answers(client, subject)
    signals = subject.replace("control.", "signals.", 1)
    for number in range(5000):
        await client.publish(signals, b'{"strategy_id": "flood", "n": %d}' % number)
    await client.flush()
    answer = await client.request(subject, json.dumps(payload).encode(), timeout=60)
    await client.close()
    return json.loads(answer.data), await sync_to_async(Signal.objects.count)()


async def _until_it_answers(client, subject: str) -> None:
    ask = json.dumps({"command": "status", "by": "test"}).encode()
    for _ in range(400):
        try:
            await client.request(subject, ask, timeout=1)
        except nats.errors.NoRespondersError:
            await asyncio.sleep(0.2)
        else:
            return
    raise AssertionError("nobody opened the door")
