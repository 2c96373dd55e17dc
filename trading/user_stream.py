"""Hearing a venue's user stream: reports and balances are booked as they come.

The stream is the fast road, never the only one: after every gap, and all the time by beat, the
venue is asked over REST.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

import structlog
from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils import timezone

from exchanges.domain.errors import VenueError
from exchanges.domain.news import BalanceNews, ListNews, News, StreamGap
from exchanges.domain.orders import ExecutionReport
from exchanges.models import VenueAccount
from foundation import metrics
from trading.services.execution import reconciliation
from trading.services.money import balances
from trading.services.orders import fills

log = structlog.get_logger(__name__)
ACTOR = "user stream"
SIGN_OF_LIFE_SECONDS = 15.0
MOST_AT_ONCE = 200
PAUSE_SECONDS = 0.05
REPLY_SECONDS = 0.05


class Stream(Protocol):
    def news(self) -> AsyncIterator[News]: ...

    def stop(self) -> None: ...


async def batches(news: AsyncIterator[News], most: int = MOST_AT_ONCE) -> AsyncIterator[list[News]]:
    """Give what has come since the last batch, in order; the first of a batch is never delayed."""
    queue: asyncio.Queue[News | None] = asyncio.Queue()

    async def pump() -> None:
        try:
            async for one in news:
                queue.put_nowait(one)
        finally:
            queue.put_nowait(None)

    pumping = asyncio.create_task(pump())
    try:
        last = await queue.get()
        while last is not None:
            batch = [last]
            while len(batch) < most and not queue.empty() and last is not None:
                last = queue.get_nowait()
                batch += [last] if last is not None else []
            yield batch
            last = await queue.get() if last is not None else None
    finally:
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)
    pumping.result()  # tells why it ended


def conflated(batch: Iterable[News]) -> list[News]:
    """Leave only the latest word on each asset: a balance is told whole, not as a change.

    Nothing is carried over a gap, after which the venue is asked for everything.
    """
    kept: list[News] = []
    told: BalanceNews | None = None
    for news in batch:
        if isinstance(news, StreamGap):
            told = None
        if isinstance(news, BalanceNews):
            if told is not None:
                kept.remove(told)
                merged = {b.asset: b for b in (*told.balances, *news.balances)}
                news = BalanceNews(tuple(merged.values()), news.reported_at)
            told = news
        kept.append(news)
    return kept


class Listener:
    """Books one venue account's news in order; `want_protection` is told of touched positions.

    `after_gap` is called when the stream is live again and the books have caught up.
    """

    def __init__(
        self,
        venue_account: VenueAccount,
        stream: Stream,
        want_protection: Callable[[int], None],
        *,
        after_gap: Callable[[], None] = lambda: None,
        pulse_seconds: float = SIGN_OF_LIFE_SECONDS,
    ) -> None:
        self.venue_account = venue_account
        self.stream = stream
        self.want_protection = want_protection
        self.after_gap = after_gap
        self.pulse_seconds = pulse_seconds
        self._is_live = False

    async def run(self) -> None:
        """Book news until the stream is stopped."""
        pulse = asyncio.create_task(self._pulse())
        try:
            async for batch in batches(self.stream.news()):
                await sync_to_async(self._take_all)(conflated(batch))
                # What follows at once is mostly our own replies told again: let them be booked,
                # and let balances of the same burst come together.
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            pulse.cancel()

    async def _pulse(self) -> None:
        while True:
            if self._is_live:
                try:
                    await sync_to_async(self._note_life)()
                except DatabaseError as error:
                    log.error("user_stream_sign_of_life_not_written", error=str(error))
            await asyncio.sleep(self.pulse_seconds)

    def _note_life(self) -> None:
        close_old_connections()
        VenueAccount.objects.filter(pk=self.venue_account.pk).update(stream_at=timezone.now())

    def _take_all(self, batch: list[News]) -> None:
        close_old_connections()
        for news in self._fresh(batch):
            self._take(news)

    def _fresh(self, batch: list[News]) -> list[News]:
        """Leave out what is on our books already, by one look for the whole batch.

        The stream is often faster than the reply to the order it tells of. The sender is given a
        moment to book that reply: two who book the same fill wait for each other.
        """
        reports = [news for news in batch if isinstance(news, ExecutionReport)]
        if not reports:
            return batch
        try:
            found = fills.look(reports, account=self.venue_account)
            if found.awaited:
                time.sleep(REPLY_SECONDS)
                found = fills.look(found.fresh, account=self.venue_account)
        except DatabaseError as error:
            log.warning("user_stream_books_not_read", error=str(error))
            return batch
        fresh = {id(report) for report in found.fresh}
        return [n for n in batch if not isinstance(n, ExecutionReport) or id(n) in fresh]

    def _take(self, news: News) -> None:
        """Book one piece of news. What cannot be booked is logged: reconciliation will find it."""
        try:
            if isinstance(news, ExecutionReport):
                self._hear_of_order(news)
            elif isinstance(news, BalanceNews):
                balances.hear(self.venue_account.pk, news.balances, news.reported_at)
            elif isinstance(news, StreamGap):
                self._mind_the_gap(news)
            elif isinstance(news, ListNews):
                log.debug("list_news", list_client_order_id=news.list_client_order_id)
        except (VenueError, DatabaseError) as error:
            metrics.ERRORS.labels("user_stream").inc()
            log.error("user_stream_news_not_booked", news=type(news).__name__, error=str(error))

    def _hear_of_order(self, report: ExecutionReport) -> None:
        applied = fills.apply(report, account=self.venue_account, actor=ACTOR)
        if applied is not None and applied.position_id is not None:
            self.want_protection(applied.position_id)

    def _mind_the_gap(self, gap: StreamGap) -> None:
        self._is_live = gap.live
        log.warning("user_stream_gap", live=gap.live, reason=gap.reason)
        if not gap.live:
            return
        for position_id in reconciliation.catch_up(self.venue_account):
            self.want_protection(position_id)
        self._note_life()
        self.after_gap()  # elsewhere: news that comes now must not wait for it
