"""A local book is in step with its stream, or says that it is not."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.order_book import Change, LocalBook, Step, SyncedBook

DATA = Path(__file__).resolve().parents[4] / "shared" / "binance" / "data"
here = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded Binance data (../shared/binance/data) is not here"
)
NONE: list[tuple[str, str]] = []


def spot(first: int, last: int, *bids: tuple[str, str]) -> Change:
    return Change(first, last, None, list(bids), NONE)


def futures(first: int, last: int, previous: int) -> Change:
    return Change(first, last, previous, NONE, NONE)


def in_step(last_id: int) -> SyncedBook:
    book = SyncedBook()
    assert book.snapshot(last_id, [("10", "1")], [("11", "1")]) is Step.APPLIED
    return book


def test_changes_wait_for_the_snapshot_and_follow_on_it():
    book = SyncedBook()
    assert [book.change(spot(1, 4)), book.change(spot(5, 8, ("9", "3")))] == [Step.KEPT] * 2
    assert book.snapshot(6, [("10", "1")], [("11", "1")]) is Step.APPLIED
    assert (book.last_id, book.book.bids.quantities[Decimal(9)]) == (8, Decimal(3))


def test_a_snapshot_from_before_the_first_change_is_asked_for_again():
    book = SyncedBook()
    book.change(spot(10, 12))
    assert book.snapshot(8, NONE, NONE) is Step.TOO_OLD
    assert not book.is_in_step
    assert book.snapshot(9, NONE, NONE) is Step.APPLIED


def test_a_missing_change_is_a_gap_and_the_book_is_shown_no_more():
    book = in_step(5)
    assert book.change(spot(6, 7)) is Step.APPLIED
    assert book.change(spot(9, 10)) is Step.GAP
    assert (book.is_in_step, book.gaps) == (False, 1)
    assert book.snapshot(9, NONE, NONE) is Step.APPLIED
    assert book.last_id == 10


def test_what_is_known_already_changes_nothing():
    book = in_step(5)
    assert book.change(spot(3, 5, ("10", "9"))) is Step.OLD
    assert book.book.bids.quantities[Decimal(10)] == 1


def test_the_first_change_may_straddle_the_snapshot():
    book = in_step(5)
    assert book.change(spot(3, 9)) is Step.APPLIED


def test_futures_go_by_the_change_before():
    book = in_step(50)
    assert book.change(futures(40, 49, 30)) is Step.OLD
    assert book.change(futures(45, 60, 49)) is Step.APPLIED
    assert book.change(futures(71, 80, 60)) is Step.APPLIED
    assert book.change(futures(85, 90, 82)) is Step.GAP


def test_no_quantity_is_no_level():
    book = in_step(5)
    book.change(spot(6, 6, ("10", "0.000")))
    assert book.book.bids.prices == []


price = st.integers(1, 30).map(str)
rows = st.lists(st.tuples(price, st.integers(0, 3).map(str)), max_size=4)


@given(st.lists(st.tuples(rows, rows), min_size=1, max_size=30), st.data())
def test_a_book_in_step_is_the_book_of_the_venue(events, data):
    """Wherever the snapshot is taken, and whatever is lost: in step means equal."""
    venue, stream, states = LocalBook(), [], []
    for number, (bids, asks) in enumerate(events, 1):
        venue.update(bids, asks)
        states.append((dict(venue.bids.quantities), dict(venue.asks.quantities)))
        stream.append(Change(number, number, None, bids, asks))
    lost = data.draw(st.sets(st.sampled_from(range(len(stream))), max_size=3))
    asked = data.draw(st.sets(st.sampled_from(range(len(stream)))))
    mine = SyncedBook()
    for place, change in enumerate(stream):
        if place not in lost:
            mine.change(change)
        if place in asked and not mine.is_in_step:
            bids, asks = states[place]
            mine.snapshot(place + 1, list(bids.items()), list(asks.items()))
        if mine.is_in_step:
            known = (mine.book.bids.quantities, mine.book.asks.quantities)
            assert known == states[mine.last_id - 1]
    assert mine.gaps <= len(lost)


def recorded(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / "hftbacktest" / name, "rt") as lines:
        frames = (json.loads(line.partition(" ")[2]) for line in lines)
        return [f for f in frames if "lastUpdateId" in f or "@depth" in f["stream"]]


def change_of(data: dict[str, Any]) -> Change:
    return Change(data["U"], data["u"], data.get("pu"), data["b"], data["a"])


def replayed(frames: list[dict[str, Any]], book: SyncedBook) -> None:
    for frame in frames:
        if "lastUpdateId" in frame:
            book.snapshot(frame["lastUpdateId"], frame["bids"], frame["asks"])
        else:
            book.change(change_of(frame["data"]))


@here
@pytest.mark.parametrize("name", ["spot/btcusdt_20240808.gz", "usdm/btcusdt_20240808.gz"])
class TestRealRecordings:
    def test_nothing_is_missing(self, name):
        book = SyncedBook()
        replayed(recorded(name), book)
        assert (book.is_in_step, book.gaps) == (True, 0)
        assert book.book.is_sane

    def test_a_line_that_is_taken_out_is_missed_and_mended(self, name):
        frames, whole, book = recorded(name), SyncedBook(), SyncedBook()
        replayed(frames, whole)
        middle = len(frames) // 2
        replayed(frames[:middle] + frames[middle + 1 :], book)
        assert (book.is_in_step, book.gaps) == (False, 1)
        until = SyncedBook()
        replayed(frames[: middle + 5], until)
        sides = (list(side.quantities.items()) for side in (until.book.bids, until.book.asks))
        assert book.snapshot(until.last_id, *sides) in (Step.APPLIED, Step.TOO_OLD)


@here
def test_recorded_snapshots_and_the_stream_that_belongs_to_them():
    books: dict[str, SyncedBook] = {}
    kept: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(DATA / "cryptofeed" / "BINANCE.ws.1.0.gz", "rt") as lines:
        for line in lines:
            if "@depth" in line and (start := line.find('{"stream"')) >= 0:
                data = json.loads(line[start:])["data"]
                kept.setdefault(data["s"], []).append(data)
    with gzip.open(DATA / "cryptofeed" / "BINANCE.http.0.0.gz", "rt") as lines:
        for line in lines:
            if "/depth?symbol=" not in line:
                continue
            symbol = line.partition("symbol=")[2].partition("&")[0]
            body = json.loads(line[line.index('{"lastUpdateId"') :])
            books[symbol] = book = SyncedBook()
            for data in kept.get(symbol, ()):
                book.change(change_of(data))
            assert book.snapshot(body["lastUpdateId"], body["bids"], body["asks"]) is Step.APPLIED
    assert len(books) == 4
    assert [book.gaps for book in books.values()] == [0] * 4
    assert all(book.book.is_sane for book in books.values())
