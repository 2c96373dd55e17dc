"""The user stream: news as they come, and a gap told whenever some may have been missed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain import errors
from exchanges.domain.news import BalanceNews, ListNews, News, StreamGap
from exchanges.domain.orders import ExecutionReport, VenueStatus
from exchanges.venues.binance.spot.user_stream import SpotUserStream
from petrosa_site.stack.ports import free_port
from tests.fakes.scripted_stream import ScriptedStream, order_event
from tests.fakes.scripted_venue import API_KEY, API_SECRET


@pytest.fixture
async def venue() -> AsyncIterator[ScriptedStream]:
    async with ScriptedStream() as venue:
        yield venue


class Listener:
    """Collects news in the background."""

    def __init__(self, stream: SpotUserStream) -> None:
        self.stream = stream
        self.heard: list[News] = []
        self._more = asyncio.Event()
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for item in self.stream.news():
            self.heard.append(item)
            self._more.set()

    async def until(self, count: int) -> list[News]:
        async with asyncio.timeout(60):
            while len(self.heard) < count:
                self._more.clear()
                await self._more.wait()
        return self.heard

    def gaps(self) -> list[tuple[bool, str]]:
        return [(g.live, g.reason) for g in self.heard if isinstance(g, StreamGap)]


@pytest.fixture
async def listen(venue: ScriptedStream):
    listeners: list[Listener] = []

    def start(**changes: Any) -> Listener:
        settings: dict[str, Any] = {
            "url": venue.url,
            "api_key": API_KEY,
            "api_secret": API_SECRET,
            "first_wait_seconds": 0.02,
        }
        listeners.append(Listener(SpotUserStream(**settings | changes)))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.stream.stop()
    await asyncio.wait_for(
        asyncio.gather(*(each.task for each in listeners), return_exceptions=True), 5
    )


async def test_it_subscribes_by_signature_and_says_from_where_on_it_listens(
    venue: ScriptedStream, listen
) -> None:
    listener = listen(recv_window_ms=4000)

    (first,) = await listener.until(1)

    assert isinstance(first, StreamGap)
    assert first.live
    params = venue.requests[-1]["params"]
    assert params["recvWindow"] == 4000
    assert params["apiKey"] == API_KEY


async def test_it_signs_by_the_venues_clock(venue: ScriptedStream, listen) -> None:
    venue.clock_skew_ms = 9000

    await listen().until(1)

    ahead = venue.requests[-1]["params"]["timestamp"] - time.time() * 1000
    assert ahead == pytest.approx(9000, abs=1000)


async def test_a_trade_brings_its_fill(venue: ScriptedStream, listen) -> None:
    listener = listen()
    await venue.subscribed()
    await venue.send(order_event())

    report = (await listener.until(2))[1]

    assert isinstance(report, ExecutionReport)
    assert report.status is VenueStatus.PARTIALLY_FILLED
    (fill,) = report.fills
    assert (fill.trade_id, fill.price, fill.quantity) == ("56", Decimal(45000), Decimal("0.04"))
    assert (fill.commission, fill.commission_asset, fill.is_maker) == (
        Decimal("0.00004"),
        "BTC",
        True,
    )
    assert (report.executed_quantity, report.executed_quote) == (Decimal("0.04"), Decimal(1800))


async def test_a_cancel_is_told_under_the_id_the_order_was_placed_with(
    venue: ScriptedStream, listen
) -> None:
    listener = listen()
    await venue.subscribed()
    await venue.send(order_event(x="CANCELED", X="CANCELED", c="cancel-9", C="entry-1", t=-1))

    report = (await listener.until(2))[1]

    assert isinstance(report, ExecutionReport)
    assert report.client_order_id == "entry-1"
    assert report.fills == ()


async def test_balances_and_lists_are_news_too(venue: ScriptedStream, listen) -> None:
    listener = listen()
    await venue.subscribed()
    await venue.send(
        {
            "e": "outboundAccountPosition",
            "E": 1795262400125,
            "u": 1795262400123,
            "B": [{"a": "BTC", "f": "0.5", "l": "0.1"}],
        }
    )
    await venue.send(
        {
            "e": "listStatus",
            "E": 1795262400125,
            "s": "BTCUSDT",
            "g": 5,
            "c": "OCO",
            "l": "ALL_DONE",
            "L": "ALL_DONE",
            "r": "NONE",
            "C": "list-1",
            "T": 1795262400123,
            "O": [{"s": "BTCUSDT", "i": 11, "c": "target-1"}],
        }
    )

    _, balance, listed = await listener.until(3)

    assert isinstance(balance, BalanceNews)
    assert (balance.balances[0].asset, balance.balances[0].locked) == ("BTC", Decimal("0.1"))
    assert isinstance(listed, ListNews)
    assert (listed.list_client_order_id, listed.is_done) == ("list-1", True)
    assert listed.legs == (("11", "target-1"),)


async def test_after_a_dropped_line_it_subscribes_anew_and_tells_the_gap(
    venue: ScriptedStream, listen
) -> None:
    """python-binance's own socket reconnects without subscribing and stays deaf for ever."""
    listener = listen()
    await venue.subscribed()
    await listener.until(1)
    await venue.drop()
    await venue.subscribed()
    await venue.send(order_event())

    heard = await listener.until(4)

    assert [live for live, _ in listener.gaps()] == [True, False, True]
    assert isinstance(heard[3], ExecutionReport)
    assert venue.methods().count("userDataStream.subscribe.signature") == 2


async def test_a_closed_line_is_built_anew(venue: ScriptedStream, listen) -> None:
    listener = listen()
    await venue.subscribed()
    await venue.close()

    await listener.until(3)

    assert [live for live, _ in listener.gaps()] == [True, False, True]


@pytest.mark.parametrize("word", ["serverShutdown", "eventStreamTerminated"])
async def test_the_venues_last_words_are_heeded_at_once(
    venue: ScriptedStream, listen, word: str
) -> None:
    listener = listen()
    await venue.subscribed()
    await venue.send({"e": word, "E": 1795262400123}, subscription=None)

    await listener.until(3)

    assert listener.gaps()[1] == (False, f"the venue says {word}")
    assert venue.connections == 2


async def test_a_silent_line_that_answers_the_probe_is_kept(venue: ScriptedStream, listen) -> None:
    listener = listen(silence_seconds=0.3)
    await listener.until(1)

    async with asyncio.timeout(60):
        while venue.methods().count("session.subscriptions") < 3:
            await asyncio.sleep(0.02)

    assert venue.connections == 1
    assert len(listener.heard) == 1


async def test_a_venue_that_does_not_know_the_probe_is_kept_as_well(
    venue: ScriptedStream, listen
) -> None:
    venue.knows_probe = False
    listener = listen(silence_seconds=0.3)
    await listener.until(1)

    await asyncio.sleep(0.8)

    assert venue.connections == 1


async def test_a_line_that_does_not_answer_is_given_up(venue: ScriptedStream, listen) -> None:
    listener = listen(silence_seconds=0.05)
    await venue.subscribed()
    venue.is_mute = True
    await listener.until(2)
    venue.is_mute = False

    assert "silent" in listener.gaps()[1][1]
    await listener.until(3)


async def test_a_subscription_the_venue_has_lost_is_made_anew(
    venue: ScriptedStream, listen
) -> None:
    listener = listen(silence_seconds=0.05)
    await venue.subscribed()
    venue.forgets_subscriptions = True
    await listener.until(2)
    venue.forgets_subscriptions = False

    await listener.until(3)

    assert "dropped our subscription" in listener.gaps()[1][1]


async def test_it_renews_the_line_before_the_venue_cuts_it(venue: ScriptedStream, listen) -> None:
    listener = listen(lifetime_seconds=0.1)

    await listener.until(3)

    assert "renewed" in listener.gaps()[1][1]


async def test_too_many_waiting_news_end_in_a_gap_and_not_in_silence(
    venue: ScriptedStream,
) -> None:
    stream = SpotUserStream(
        url=venue.url,
        api_key=API_KEY,
        api_secret=API_SECRET,
        max_waiting=3,
        first_wait_seconds=0.02,
    )
    news = stream.news()
    await anext(news)
    for number in range(10):
        await venue.send(order_event(t=number))
    await asyncio.sleep(0.2)

    heard = [await anext(news) for _ in range(5)]

    assert all(isinstance(item, ExecutionReport) for item in heard[:3])
    assert isinstance(heard[3], StreamGap)
    assert "too slow" in heard[3].reason
    assert isinstance(heard[4], StreamGap)
    assert heard[4].live
    await news.aclose()


async def test_an_event_that_cannot_be_read_is_a_gap_and_the_stream_goes_on(
    venue: ScriptedStream, listen
) -> None:
    listener = listen()
    await venue.subscribed()
    await venue.send(order_event(X="NOVEL"))
    await venue.send(order_event())

    heard = await listener.until(3)

    assert isinstance(heard[1], StreamGap)
    assert isinstance(heard[2], ExecutionReport)
    assert venue.connections == 1


async def test_events_nobody_knows_are_passed_over(venue: ScriptedStream, listen) -> None:
    listener = listen()
    await venue.subscribed()
    await venue.send({"e": "balanceUpdate", "a": "BTC", "d": "1"})
    await venue.send({"e": "somethingNew"})
    await venue.send_raw('{"unknown": 1}')
    await venue.send(order_event())

    heard = await listener.until(2)

    assert isinstance(heard[1], ExecutionReport)


async def test_a_frame_that_is_no_json_is_a_gap(venue: ScriptedStream, listen) -> None:
    listener = listen()
    await venue.subscribed()
    await venue.send_raw("<html>")

    await listener.until(3)

    assert "no JSON" in listener.gaps()[1][1]


async def test_a_refused_key_ends_the_stream_with_an_alarm(venue: ScriptedStream, listen) -> None:
    venue.refuse_next(401, -2015, "Invalid API-key, IP, or permissions for action.")
    listener = listen()

    with pytest.raises(errors.CredentialsRefused):
        await asyncio.wait_for(listener.task, 60)


async def test_a_refused_timestamp_sets_the_clock_and_subscribes_again(
    venue: ScriptedStream, listen
) -> None:
    venue.refuse_next(400, -1021, "Timestamp for this request is outside of the recvWindow.")
    listener = listen()

    await listener.until(2)

    assert [live for live, _ in listener.gaps()] == [False, True]
    assert venue.methods().count("time") == 2


async def test_it_waits_as_long_as_the_venue_asks(venue: ScriptedStream, listen) -> None:
    until = int((time.time() + 0.6) * 1000)
    venue.refuse_next(429, -1003, "Too many requests.", retryAfter=until)
    started = time.monotonic()
    listener = listen()

    await listener.until(2)

    assert time.monotonic() - started > 0.4


async def test_it_keeps_trying_a_venue_that_is_away_and_waits_longer_each_time() -> None:
    stream = SpotUserStream(
        url=f"ws://127.0.0.1:{free_port()}/ws-api/v3",
        api_key=API_KEY,
        api_secret=API_SECRET,
        first_wait_seconds=0.05,
    )
    news = stream.news()
    stamps = []
    for _ in range(5):
        assert isinstance(await anext(news), StreamGap)
        stamps.append(time.monotonic())
    await news.aclose()

    assert stamps[4] - stamps[3] > stamps[1] - stamps[0]


async def test_stop_ends_it_cleanly_while_it_listens(venue: ScriptedStream, listen) -> None:
    listener = listen()
    await listener.until(1)

    listener.stream.stop()
    await asyncio.wait_for(listener.task, 60)

    assert listener.task.exception() is None


async def test_stop_ends_it_while_it_waits_to_try_again(venue: ScriptedStream, listen) -> None:
    until = int((time.time() + 60) * 1000)
    venue.refuse_next(429, -1003, "Too many requests.", retryAfter=until)
    listener = listen()
    await listener.until(1)

    listener.stream.stop()

    await asyncio.wait_for(listener.task, 60)


async def test_it_ends_while_news_pour_in(venue: ScriptedStream) -> None:
    for _ in range(20):
        stream = SpotUserStream(url=venue.url, api_key=API_KEY, api_secret=API_SECRET)
        news = stream.news()
        await anext(news)
        pouring = asyncio.create_task(_pour(venue))
        try:
            for _ in range(3):
                await anext(news)
            async with asyncio.timeout(60):
                await news.aclose()
        finally:
            pouring.cancel()
            await asyncio.gather(pouring, return_exceptions=True)


async def _pour(venue: ScriptedStream) -> None:
    while True:
        await venue.send(order_event())
        await asyncio.sleep(0)
