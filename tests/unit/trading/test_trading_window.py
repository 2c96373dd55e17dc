"""When an account may enter: hours, timezones, weekdays."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.risk.window import PRESETS, TradingWindow, WindowInvalid, parse

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
US_EQUITY = PRESETS["us-equity"]


def at(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


def is_open(words: str, moment: str) -> bool:
    window = parse(words)
    return window is None or window.is_open(at(moment))


class TestHours:
    def test_the_start_is_in_and_the_end_is_out(self):
        assert is_open("09:30-16:00", "2026-11-23T09:30:00")
        assert is_open("09:30-16:00", "2026-11-23T15:59:59.999999")
        assert not is_open("09:30-16:00", "2026-11-23T16:00:00")
        assert not is_open("09:30-16:00", "2026-11-23T09:29:59")

    def test_us_equity_hours_move_with_new_york(self):
        assert is_open(US_EQUITY, "2026-01-07T14:30:00")  # EST
        assert not is_open(US_EQUITY, "2026-01-07T13:30:00")
        assert is_open(US_EQUITY, "2026-07-08T13:30:00")  # EDT
        assert not is_open(US_EQUITY, "2026-07-08T20:00:00")

    def test_a_weekend_is_closed(self):
        assert not is_open(US_EQUITY, "2026-11-21T15:00:00")

    def test_the_weekday_is_the_places_own(self):
        # Monday morning in Tokyo is still Sunday in UTC.
        assert is_open("08:00-10:00 Asia/Tokyo mon", "2026-11-22T23:30:00")

    def test_a_night_belongs_to_the_day_it_starts_on(self):
        assert is_open("22:00-04:00 UTC fri", "2026-11-20T23:00:00")
        assert is_open("22:00-04:00 UTC fri", "2026-11-21T03:59:00")
        assert not is_open("22:00-04:00 UTC fri", "2026-11-21T22:30:00")
        assert not is_open("22:00-04:00 UTC fri", "2026-11-20T03:00:00")

    def test_the_hour_that_comes_twice_is_open_twice(self):
        assert is_open("01:00-02:00 America/New_York", "2026-11-01T05:30:00")
        assert is_open("01:00-02:00 America/New_York", "2026-11-01T06:30:00")

    def test_nothing_is_round_the_clock(self):
        assert parse("") is None
        assert parse("24/7") is None

    @given(
        start=st.times(),
        end=st.times(),
        zone=st.sampled_from(ZONES),
        days=st.frozensets(st.integers(0, 6), min_size=1),
        now=st.datetimes(datetime(2024, 1, 2), datetime(2030, 1, 1), timezones=st.just(UTC)),
    )
    def test_it_is_open_when_a_day_of_its_own_has_it_open(self, start, end, zone, days, now):
        """Independent of the rule: lay out yesterday's and today's opening and look."""
        clock = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        expected = False
        for ago in (0, 1):
            day = clock.date() - timedelta(days=ago)
            opens = datetime.combine(day, start)
            closes = datetime.combine(day, end)
            if closes <= opens:
                closes += timedelta(days=1)
            expected |= day.weekday() in days and opens <= clock < closes

        assert TradingWindow(start, end, zone, days).is_open(now) is expected

    @given(start=st.times(), end=st.times(), days=st.frozensets(st.integers(0, 6), min_size=1))
    def test_what_it_says_is_what_it_reads(self, start, end, days):
        window = TradingWindow(start, end, "Europe/Berlin", days)
        assert parse(str(window)) == window


class TestWords:
    def test_days_are_spans_and_lists(self):
        window = parse("08:00-09:00 UTC sat-mon,wed")
        assert window is not None
        assert window.weekdays == {5, 6, 0, 2}
        assert str(parse("08:00-09:00 UTC mon,tue,wed,thu,fri")) == "08:00-09:00 UTC mon-fri"

    def test_a_preset_goes_by_its_name(self):
        assert parse("US-Equity") == TradingWindow(
            time(9, 30), time(16), "America/New_York", frozenset(range(5))
        )

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("09:30", "write it like 09:30-16:00"),
            ("09:30-25:00", "'25:00' is no time of day"),
            ("09:30-16:00 Atlantis", "'Atlantis' is no timezone"),
            ("09:30-16:00 ../../etc", "is no timezone"),
            ("09:30-16:00 UTC someday", "'someday' is no day of the week"),
            ("09:30-16:00 UTC mon tue", "write it like"),
        ],
    )
    def test_nonsense_is_told(self, words, said):
        with pytest.raises(WindowInvalid, match=said):
            parse(words)
