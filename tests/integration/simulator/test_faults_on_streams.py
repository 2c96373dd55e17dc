"""Faults of the user stream: late, twice, out of order, lost, dead, cut."""

from __future__ import annotations

import time
from http.client import HTTPException

import pytest
from websockets.exceptions import ConnectionClosed

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import VenueClient, user_stream


def test_an_event_can_come_late(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("stream_delay", event="executionReport", execution_type="TRADE", delay_ms=400)
    with user_stream(client) as stream:
        began = time.monotonic()
        client.buy()
        kinds = [event.get("x", event["e"]) for event in (stream.event() for _ in range(3))]
    assert kinds == ["NEW", "outboundAccountPosition", "TRADE"]
    assert time.monotonic() - began >= 0.4


def test_an_event_can_come_twice(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("stream_duplicate", execution_type="TRADE")
    with user_stream(client) as stream:
        client.buy()
        reports = [stream.event("executionReport") for _ in range(3)]
    assert [report["x"] for report in reports] == ["NEW", "TRADE", "TRADE"]
    assert reports[1]["I"] == reports[2]["I"]


def test_events_can_change_places(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("stream_reorder", event="executionReport")
    with user_stream(client) as stream:
        client.buy()
        reports = [stream.event("executionReport") for _ in range(2)]
    assert [report["x"] for report in reports] == ["TRADE", "NEW"]


def test_an_event_can_be_lost(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("stream_drop", execution_type="TRADE")
    with user_stream(client) as stream:
        client.buy()
        kinds = [event.get("x", event["e"]) for event in (stream.event() for _ in range(2))]
    assert kinds == ["NEW", "outboundAccountPosition"]


def test_the_stream_can_die_silently(venue: SimulatorProcess, client: VenueClient) -> None:
    with user_stream(client) as stream:
        venue.fault("stream_silence")
        client.buy()
        assert stream.silent_for(0.4)
        assert stream.call("ping")["status"] == 200  # the line itself looks healthy
        venue.control("faults", method="DELETE")
        client.buy()
        assert stream.event()["e"] == "executionReport"


def test_connections_can_be_cut(venue: SimulatorProcess, client: VenueClient) -> None:
    with user_stream(client) as stream:
        venue.control("sockets", {"action": "drop", "target": "user"})
        with pytest.raises(ConnectionClosed):
            stream.frame()


def test_a_shutdown_is_announced_without_a_subscription(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    with user_stream(client) as stream:
        venue.control("sockets", {"action": "shutdown", "target": "user"})
        frame = stream.frame()
    assert frame["event"]["e"] == "serverShutdown"
    assert "subscriptionId" not in frame


def test_a_subscription_can_be_terminated(venue: SimulatorProcess, client: VenueClient) -> None:
    with user_stream(client) as stream:
        venue.control("sockets", {"action": "terminate"})
        assert stream.event()["e"] == "eventStreamTerminated"
        client.buy()
        assert stream.silent_for(0.3)


def test_the_stream_works_without_any_reply(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("drop_reply", method="POST", path="/api/v3/order")
    with user_stream(client) as stream:
        with pytest.raises((ConnectionError, HTTPException)):
            client.buy()
        assert stream.event("executionReport")["x"] == "NEW"
