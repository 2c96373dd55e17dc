"""Closed candles on their way to the database: kept while it is away, never in the way."""

from __future__ import annotations

import time
from collections.abc import Callable

from exchanges.domain.candles import Candle
from exchanges.market_data.closed import CandleWriter, ClosedKline, read
from exchanges.market_data.frames import Frame, Reader
from tests.places import SIMULATOR, USDM


class Database:
    """Takes candles, unless it is away."""

    def __init__(self) -> None:
        self.is_away = False
        self.tries = 0
        self.opened: list[int] = []

    def write(self, closed: list[ClosedKline]) -> None:
        self.tries += 1
        if self.is_away:
            raise ConnectionError("away")
        self.opened += [one.candle.opened_ms for one in closed]


def candle(opened_ms: int) -> ClosedKline:
    return ClosedKline(SIMULATOR, "BTCUSDT", "1m", Candle(opened_ms, 1, 1, 1, 1, 1, 1, 1, 1, 1))


def until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def started(database: Database, **settings: float) -> CandleWriter:
    writer = CandleWriter(database.write, first_wait_seconds=0.01, **settings)  # type: ignore[arg-type]
    writer.start()
    return writer


def test_candles_are_written_in_order():
    database = Database()
    writer = started(database)
    for opened in range(5):
        writer.put(candle(opened))
    until(lambda: len(database.opened) == 5)
    writer.stop()
    assert database.opened == [0, 1, 2, 3, 4]


def test_a_database_that_comes_back_gets_what_waited():
    database = Database()
    database.is_away = True
    writer = started(database)
    writer.put(candle(1))
    until(lambda: database.tries >= 2)
    writer.put(candle(2))
    database.is_away = False
    until(lambda: database.opened == [1, 2])
    writer.stop()
    assert writer.lost == 0


def test_the_oldest_is_dropped_and_counted_when_too_much_waits():
    database = Database()
    writer = CandleWriter(database.write, most_waiting=2)
    for opened in range(4):
        writer.put(candle(opened))
    assert (len(writer), writer.lost) == (2, 2)
    writer.start()
    until(lambda: database.opened == [2, 3])
    writer.stop()


def test_the_end_waits_for_what_is_left():
    database = Database()
    writer = started(database)
    writer.put(candle(1))
    writer.stop()
    assert database.opened == [1]


def test_a_database_that_is_away_does_not_hold_up_the_end():
    database = Database()
    database.is_away = True
    writer = started(database)
    writer.put(candle(1))
    until(lambda: database.tries >= 1)
    before = time.monotonic()
    writer.stop()
    assert not writer.is_alive()
    assert time.monotonic() - before < 3


def test_a_closed_kline_is_a_candle():
    body = (
        b'{"e":"kline","E":9,"s":"BTCUSDT","k":{"t":60000,"T":119999,"s":"BTCUSDT","i":"1m","f":1,'
        b'"L":2,"o":"1.5","c":"2.5","h":"3","l":"1","v":"10","n":7,"x":true,"q":"20","V":"4",'
        b'"Q":"8","B":"0"}}'
    )
    frame = Reader().read(b'{"stream":"btcusdt@kline_1m","data":%b}' % body, 0)
    assert isinstance(frame, Frame)
    told = read(frame, venue=USDM)
    assert told == ClosedKline(
        USDM, "BTCUSDT", "1m", Candle(60000, 1.5, 3, 1, 2.5, 10, 20, 7, 4, 8)
    )
