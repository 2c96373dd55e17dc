from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain.news import BalanceNews, ListNews, News, StreamGap
from exchanges.domain.orders import AssetBalance
from trading.user_stream import batches, conflated

START = datetime(2026, 1, 1, tzinfo=UTC)


def balance(second: int, **free: str) -> BalanceNews:
    rows = tuple(AssetBalance(asset, Decimal(text), Decimal(0)) for asset, text in free.items())
    return BalanceNews(rows, START + timedelta(seconds=second))


def order_list(name: str) -> ListNews:
    return ListNews("BTCUSDT", name, "1", is_done=False, reported_at=START)


async def spoken(*news: News | Exception, pause: float = 0) -> AsyncIterator[News]:
    for one in news:
        if isinstance(one, Exception):
            raise one
        yield one
        await asyncio.sleep(pause)


def taken(source: AsyncIterator[News], work: float = 0, most: int = 200) -> list[list[News]]:
    async def take() -> list[list[News]]:
        found = []
        async for batch in batches(source, most):
            found.append(batch)
            await asyncio.sleep(work)
        return found

    return asyncio.run(asyncio.wait_for(take(), 60))


def test_what_came_meanwhile_is_one_batch():
    news = [order_list(str(n)) for n in range(9)]
    found = taken(spoken(*news), work=0.05)
    assert [one for batch in found for one in batch] == news
    assert len(found) <= 3


def test_news_that_comes_alone_is_not_held_back():
    news = [order_list(str(n)) for n in range(3)]
    assert taken(spoken(*news, pause=0.02)) == [[one] for one in news]


def test_a_batch_has_an_end():
    news = [order_list(str(n)) for n in range(10)]
    found = taken(spoken(*news), work=0.02, most=4)
    assert max(len(batch) for batch in found) <= 4
    assert [one for batch in found for one in batch] == news


def test_silence_is_no_batch():
    assert taken(spoken()) == []


def test_why_the_news_ended_is_told_after_the_news():
    found = []

    async def take() -> None:
        async for batch in batches(spoken(order_list("a"), PermissionError("key"))):
            found.extend(batch)

    with pytest.raises(PermissionError):
        asyncio.run(asyncio.wait_for(take(), 60))
    assert found == [order_list("a")]


def test_only_the_last_word_on_each_asset_stays():
    told = conflated([balance(1, USDT="5", BTC="1"), order_list("a"), balance(2, USDT="4")])
    assert told == [order_list("a"), balance(2, USDT="4", BTC="1")]


def test_balances_are_not_carried_over_a_gap():
    gap = StreamGap("cut", live=False, at=START)
    news: list[News] = [balance(1, USDT="5"), gap, balance(2, USDT="4")]
    assert conflated(news) == news
