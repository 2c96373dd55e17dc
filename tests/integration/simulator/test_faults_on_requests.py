"""Each fault that hits a request does what its name says, as often as it was asked to."""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import Any

import pytest

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import Reply, VenueClient, now_ms, user_stream

ORDER = "/api/v3/order"


def entry(client: VenueClient, name: str = "entry-1") -> Reply:
    return client.post(
        "order",
        symbol="BTCUSDT",
        side="BUY",
        type="MARKET",
        quantity="0.01",
        newClientOrderId=name,
    )


def placed(client: VenueClient, name: str = "entry-1") -> bool:
    return client.get("order", symbol="BTCUSDT", origClientOrderId=name).status == 200


def test_a_dropped_reply_leaves_the_order_executed(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.fault("drop_reply", method="POST", path=ORDER)
    with pytest.raises((ConnectionError, HTTPException)):
        entry(client)
    assert placed(client)


def test_a_dropped_request_executes_nothing(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("drop_request", method="POST", path=ORDER)
    with pytest.raises((ConnectionError, HTTPException)):
        entry(client)
    assert not placed(client)


def test_a_hanging_reply_times_the_client_out(venue: SimulatorProcess) -> None:
    client = VenueClient(venue, timeout=0.3)
    venue.fault("hang", method="POST", path=ORDER, seconds=2)
    with pytest.raises(TimeoutError):
        entry(client)
    assert placed(client)


@pytest.mark.parametrize("execute", [True, False])
@pytest.mark.parametrize(("kind", "status"), [("timeout", 504), ("unavailable", 503)])
def test_an_unknown_outcome_with_and_without_execution(
    venue: SimulatorProcess, client: VenueClient, kind: str, status: int, execute: bool
) -> None:
    venue.fault(kind, method="POST", path=ORDER, execute=execute)
    assert entry(client).status == status
    assert placed(client) is execute


def test_a_timeout_carries_its_code(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("timeout", method="POST", path=ORDER)
    reply = entry(client)
    assert reply.code == -1007
    assert "execution status unknown" in reply.json["msg"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("weight_limit", 429, -1003), ("order_limit", 429, -1015), ("ban", 418, -1003)],
)
def test_limits_on_demand(
    venue: SimulatorProcess, client: VenueClient, kind: str, status: int, code: int
) -> None:
    venue.fault(kind, method="POST", path=ORDER, retry_after=7)
    reply = entry(client)
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (status, code, "7")
    assert not placed(client)


def test_any_error_can_be_asked_for(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("error", method="POST", path=ORDER, code=-2010, msg="Market is closed.")
    assert entry(client).json == {"code": -2010, "msg": "Market is closed."}


def test_a_delayed_reply(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("delay", method="POST", path=ORDER, delay_ms=300)
    began = time.monotonic()
    assert entry(client).status == 200
    assert time.monotonic() - began >= 0.3


def test_a_late_arrival_outlives_its_window(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("slow_arrival", method="POST", path=ORDER, delay_before_ms=300)
    reply = client.post(
        "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01", recvWindow=100
    )
    assert reply.code == -1021


def test_a_request_that_was_cut_off_can_still_arrive(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.fault("late_arrival", method="POST", path=ORDER, late_ms=300)
    with pytest.raises((ConnectionError, HTTPException)):
        entry(client)
    assert not placed(client)
    time.sleep(0.5)
    assert placed(client)


def test_its_window_bounds_how_late_it_executes(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.fault("late_arrival", method="POST", path=ORDER, late_ms=300)
    wish = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    with pytest.raises((ConnectionError, HTTPException)):
        client.post("order", **wish, newClientOrderId="entry-1", recvWindow=200)
    time.sleep(0.5)
    assert not placed(client)
    assert venue.control("events")[-1]["code"] == -1021


def test_the_stream_can_be_faster_than_the_reply(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    import threading

    venue.fault("stream_before_reply", method="POST", path=ORDER, delay_ms=800)
    with user_stream(client) as stream:
        replies: list[Any] = []
        sender = threading.Thread(target=lambda: replies.append(client.buy()))
        sender.start()
        assert stream.event("executionReport")["x"] == "NEW"
        assert replies == []
        sender.join()
    assert replies[0]["status"] == "FILLED"


def test_a_new_order_can_be_invisible_at_first(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.fault("hide_order", count=2)
    entry(client)
    answers = [client.get("order", symbol="BTCUSDT", origClientOrderId="entry-1") for _ in range(3)]
    assert [reply.status for reply in answers] == [400, 400, 200]
    assert answers[0].code == -2013


def test_an_answer_may_not_be_json(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("garbled", method="POST", path=ORDER)
    reply = entry(client)
    assert (reply.status, reply.text[0]) == (200, "<")
    assert placed(client)


def test_a_fault_hits_only_what_it_names(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("unavailable", method="POST", path=ORDER, symbol="ETHUSDT")
    assert entry(client).status == 200
    assert client.get("account").status == 200
    assert venue.control("faults")[0]["left"] == 1


def test_a_fault_is_used_up(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("unavailable", path="/api/v3/ping", count=2)
    assert [client.ask("ping").status for _ in range(3)] == [503, 503, 200]
    assert venue.control("faults") == []


def test_a_fault_can_last_for_a_time(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("unavailable", path="/api/v3/ping", for_seconds=0.3)
    assert client.ask("ping").status == 503
    assert client.ask("ping").status == 503
    time.sleep(0.35)
    assert client.ask("ping").status == 200


def test_a_fault_nobody_knows_is_refused(client: VenueClient) -> None:
    reply = client.send("POST", "/control/faults", body='{"kind": "gremlins"}')
    assert reply.status == 400
    assert "gremlins" in reply.json["error"]


def test_a_skewed_clock_refuses_good_timestamps(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.control("clock", {"skew_ms": -5_000})
    assert client.get("account").code == -1021
    server = client.ask("time").json["serverTime"]
    assert -6_000 < server - now_ms() < -4_000
    assert client.get("account", timestamp=server).status == 200


def test_control_is_absent_unless_asked_for() -> None:
    with SimulatorProcess(prices="still") as plain:
        client = VenueClient(plain)
        assert client.send("POST", "/control/faults", body="{}").status == 404
        assert client.send("GET", "/control/ledger").status == 404
