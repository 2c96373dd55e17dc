"""The guard: it keeps the timers of what leaves and protects, and holds stops the venue will not.

One process holds the lease; another stands by and takes over when the holder is silent. The work
itself is safe to do twice, whoever does it: rows are claimed, and a sale for a guarded stop is
written only while the token of the lease still holds. Beat's sweeps are the backstop.

Every piece of work runs in a thread of its own, so that a slow answer of a venue holds up nothing
else; entries have threads apart.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from django.utils import timezone

from exchanges import quotes
from exchanges.domain import errors
from exchanges.domain.orders import Quote
from exchanges.domain.venues import Venue
from foundation import liveness, metrics
from trading.models import Order, Position
from trading.selectors import due
from trading.selectors.due import Kind
from trading.services.control import leases
from trading.services.execution import exits, reconciliation
from trading.services.protection import keeper

log = structlog.get_logger(__name__)
ACTOR = "guard"
TICK_SECONDS = 0.1
STAND_BY_SECONDS = 0.2
RENEW_SECONDS = 0.5
CONNECTION_SECONDS = 2.0
COMPARE_SECONDS = 0.5
EXIT_THREADS, ENTRY_THREADS = 8, 2
Work = Callable[[], object]


class Guard:
    """Looks for work ten times a second while it holds the lease."""

    def __init__(self, *, holder: str = "") -> None:
        self.holder = holder or f"{socket.gethostname()}:{os.getpid()}"
        self.held: leases.Held | None = None
        self._renewed = 0.0
        self._noted = 0.0
        self._connected = 0.0
        self._compared = 0.0
        self._stopped = False
        self._busy: dict[Hashable, Future[None]] = {}
        self._exits = ThreadPoolExecutor(EXIT_THREADS, thread_name_prefix="exit")
        self._entries = ThreadPoolExecutor(ENTRY_THREADS, thread_name_prefix="entry")

    def run(self) -> None:
        """Guard until `stop`."""
        try:
            while not self._stopped:
                started = time.monotonic()
                try:
                    self.look()
                except DatabaseError as error:
                    log.error("guard_without_database", error=str(error))
                    self.held = None
                    connections.close_all()
                pause = TICK_SECONDS if self.held else STAND_BY_SECONDS
                time.sleep(max(pause - (time.monotonic() - started), 0.01))
        finally:
            self._end()

    def stop(self) -> None:
        """Have the loop end after the step it is in."""
        self._stopped = True

    def look(self) -> None:
        """Keep or take the lease; with it, hand out all that is due."""
        self._renew_connection()
        self._keep_lease()
        if self.held is None:
            return
        self._note_life()
        if time.monotonic() - self._compared >= COMPARE_SECONDS:
            self._compared = time.monotonic()
            self._give(self._exits, "resting", reconciliation.look_at_resting)
        now = timezone.now()
        kinds = due.kinds(now)
        if Kind.GUARDED in kinds:
            self._watch_prices()
        if Kind.EXIT in kinds:
            for order in exits.due(now):
                self._give(self._exits, ("follow", order.pk), partial(_follow_up, order))
        if Kind.ORDER in kinds:
            for order in reconciliation.in_flight(now, is_entry=False):
                self._give(self._exits, ("order", order.pk), partial(_step, order))
        if Kind.POSITION in kinds:
            for position_id in keeper.due(now):
                self._give(self._exits, ("position", position_id), self._protecting(position_id))
        if Kind.ORDER in kinds:
            for order in reconciliation.in_flight(now, is_entry=True):
                self._give(self._entries, ("order", order.pk), partial(_step, order))

    def _renew_connection(self) -> None:
        """Leave a broken or old connection; asking each time would double the questions."""
        if time.monotonic() - self._connected >= CONNECTION_SECONDS:
            close_old_connections()
            self._connected = time.monotonic()

    def _note_life(self) -> None:
        if time.monotonic() - self._noted >= liveness.EVERY_SECONDS:
            liveness.note("guard")
            self._noted = time.monotonic()

    def wait(self) -> None:
        """Wait until all that was handed out is done."""
        for future in list(self._busy.values()):
            future.result()

    def _keep_lease(self) -> None:
        if self.held is None:
            if not leases.is_held(leases.GUARD, timezone.now()):
                self.held = leases.take(leases.GUARD, self.holder)
                self._renewed = time.monotonic()
                if self.held is not None:
                    log.warning("guard_took_over", holder=self.holder, token=self.held.token)
            return
        if time.monotonic() - self._renewed >= RENEW_SECONDS:
            self.held = leases.renew(self.held)
            self._renewed = time.monotonic()
            if self.held is None:
                log.error("guard_lost_its_lease", holder=self.holder)

    def _watch_prices(self) -> None:
        """Look at the price of every stop we hold; the plan itself says what a passed one means."""
        positions = keeper.guarded()
        if not positions:
            return
        for venue, held in _by_venue(positions).items():
            prices = _prices(venue, sorted({p.symbol for p in held}))
            for position in held:
                if _is_passed(position, prices.get(position.symbol)):
                    key = ("position", position.pk)
                    self._give(self._exits, key, self._protecting(position.pk))

    def _protecting(self, position_id: int) -> Work:
        return partial(keeper.ensure, position_id, actor=ACTOR, lease=self.held)

    def _give(self, pool: ThreadPoolExecutor, key: Hashable, work: Work) -> None:
        """Hand out a piece of work, unless it is being done."""
        self._busy = {k: f for k, f in self._busy.items() if not f.done()}
        if key not in self._busy:
            self._busy[key] = pool.submit(_carefully, work, key)

    def _end(self) -> None:
        self._exits.shutdown(wait=True, cancel_futures=True)
        self._entries.shutdown(wait=False, cancel_futures=True)
        if self.held is not None:
            leases.give_back(self.held)


def _carefully(work: Work, key: Hashable) -> None:
    """Do one piece of work; what fails is due again a moment later."""
    close_old_connections()
    try:
        work()
    except leases.Lost as error:
        log.warning("guard_came_too_late", work=key, error=str(error))
    except (errors.VenueError, DatabaseError) as error:
        metrics.ERRORS.labels("guard").inc()
        log.error("guard_work_failed", work=key, error=str(error))
    except Exception:
        # One piece of work must not end the guard of all others.
        metrics.ERRORS.labels("guard").inc()
        log.exception("guard_work_failed", work=key)


def _follow_up(order: Order) -> None:
    exits.follow_up(order, actor=ACTOR)


def _step(order: Order) -> None:
    for position_id in reconciliation.take_step(order):
        keeper.ensure(position_id, actor=ACTOR)


def _by_venue(positions: list[Position]) -> dict[Venue, list[Position]]:
    found: dict[Venue, list[Position]] = {}
    for position in positions:
        found.setdefault(position.account.venue_account.venue, []).append(position)
    return found


def _prices(venue: Venue, symbols: list[str]) -> dict[str, Quote]:
    """Return fresh prices: those of the market stream, else asked for."""
    most = Decimal(settings.QUOTE_MAX_AGE_SECONDS)
    found = {}
    for symbol in symbols:
        quote = quotes.get(venue, symbol, max_age=most)
        if quote is not None:
            found[symbol] = quote
    return found


def _is_passed(position: Position, quote: Quote | None) -> bool:
    if quote is None:
        return False
    stop, target = position.stop_price, position.target_price
    return (stop is not None and quote.bid <= stop) or (target is not None and quote.bid >= target)
