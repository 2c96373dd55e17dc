"""Where closed candles of the stream are stored: the history of their venue."""

from __future__ import annotations

from itertools import groupby

import structlog
from django.db import close_old_connections

from exchanges.domain.candle_checks import BadCandle
from exchanges.domain.venues import Venue
from exchanges.history import store
from exchanges.history.series import UnknownSeries
from exchanges.market_data.closed import ClosedKline
from foundation import metrics

log = structlog.get_logger(__name__)


def write(closed: list[ClosedKline]) -> None:
    """Store closed candles. Raise DatabaseError when there is no database to store them in; what
    can never be stored is told, counted and let go."""
    for _, same in groupby(sorted(closed, key=_place), key=_place):
        together = list(same)
        try:
            _store(together)
        except (BadCandle, UnknownSeries):
            for one in together:
                _store_or_tell(one)


def write_from_a_thread(closed: list[ClosedKline]) -> None:
    """Do the same in a thread that lives for days: a connection does not."""
    close_old_connections()
    write(closed)


def _store_or_tell(one: ClosedKline) -> None:
    try:
        _store([one])
    except (BadCandle, UnknownSeries) as error:
        metrics.CANDLES_CLOSED.labels(*one.venue.labels, "refused").inc()
        log.error("closed_candle_refused", symbol=one.symbol, error=str(error))


def _store(same: list[ClosedKline]) -> None:
    venue, symbol, interval = _place(same[0])
    store.store(
        venue=venue,
        symbol=symbol,
        interval=interval,
        rows=[one.candle for one in same],
    )


def _place(closed: ClosedKline) -> tuple[Venue, str, str]:
    return closed.venue, closed.symbol, closed.interval
