"""The user stream against the real server: what is placed by REST is told by the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from exchanges.domain.news import BalanceNews, ListNews, News, StreamGap
from exchanges.domain.orders import ExecutionReport, OrderListRequest, OrderType, Side, VenueStatus
from exchanges.venues.binance.spot.user_stream import SpotUserStream
from exchanges.venues.simulator.process import SimulatorProcess
from tests.contract.gateway.conftest import MakeOrder
from tests.contract.gateway.worlds import SimulatorWorld


@pytest.fixture
def world(quiet_simulator: SimulatorProcess) -> SimulatorWorld:
    return SimulatorWorld(quiet_simulator)


@pytest.fixture
async def news(world: SimulatorWorld) -> AsyncIterator[AsyncIterator[News]]:
    stream = SpotUserStream(
        url=world.process.ws_api_url,
        api_key=world.process.api_key,
        api_secret=world.process.api_secret,
        first_wait_seconds=0.05,
        silence_seconds=1.5,
    )
    heard = stream.news()
    first = await anext(heard)
    assert isinstance(first, StreamGap)
    yield heard
    await heard.aclose()


async def until(news: AsyncIterator[News], wanted: type, **traits: object):
    async with asyncio.timeout(60):
        async for item in news:
            if isinstance(item, wanted) and all(
                getattr(item, name) == value for name, value in traits.items()
            ):
                return item
    raise AssertionError("the stream ended")


async def test_a_market_order_tells_new_and_then_its_fill(
    world: SimulatorWorld, news: AsyncIterator[News], make_order: MakeOrder
) -> None:
    order = make_order(Side.BUY, OrderType.MARKET)

    reply = await asyncio.to_thread(world.gateway.place_order, order)
    opened = await until(news, ExecutionReport)
    filled = await until(news, ExecutionReport, status=VenueStatus.FILLED)

    assert opened.status is VenueStatus.OPEN
    assert filled.client_order_id == order.client_order_id
    assert [f.trade_id for f in filled.fills] == [f.trade_id for f in reply.fills][-1:]
    assert [f.commission for f in filled.fills] == [f.commission for f in reply.fills][-1:]


async def test_balances_follow_the_fill(
    world: SimulatorWorld, news: AsyncIterator[News], make_order: MakeOrder
) -> None:
    await asyncio.to_thread(world.gateway.place_order, make_order(Side.BUY, OrderType.MARKET))

    told = await until(news, BalanceNews)

    assert {row.asset for row in told.balances} >= {"BTC", "USDT"}


async def test_a_cancel_is_told_under_the_orders_own_id(
    world: SimulatorWorld, news: AsyncIterator[News], make_order: MakeOrder
) -> None:
    order = make_order(Side.BUY, OrderType.LIMIT, price="40000")
    await asyncio.to_thread(world.gateway.place_order, order)
    await asyncio.to_thread(world.gateway.cancel_order, "BTCUSDT", order.client_order_id)

    told = await until(news, ExecutionReport, status=VenueStatus.CANCELED)

    assert told.client_order_id == order.client_order_id


async def test_a_list_is_told_as_one(
    world: SimulatorWorld, news: AsyncIterator[News], make_order: MakeOrder
) -> None:
    world.give_bitcoin("1")
    pair = OrderListRequest(
        "told-list",
        "BTCUSDT",
        target=make_order(Side.SELL, OrderType.LIMIT_MAKER, price="52000"),
        stop=make_order(Side.SELL, OrderType.STOP, stop_price="48000"),
    )
    await asyncio.to_thread(world.gateway.place_order_list, pair)

    told = await until(news, ListNews)

    assert (told.list_client_order_id, told.is_done) == ("told-list", False)
    assert {client_id for _, client_id in told.legs} == {
        pair.target.client_order_id,
        pair.stop.client_order_id,
    }


@pytest.mark.parametrize("action", ["drop", "shutdown", "terminate"])
async def test_it_hears_on_after_the_venue_broke_the_line(
    world: SimulatorWorld, news: AsyncIterator[News], make_order: MakeOrder, action: str
) -> None:
    await asyncio.to_thread(world.process.control, "sockets", {"action": action, "target": "user"})
    assert isinstance(await until(news, StreamGap, live=False), StreamGap)
    await until(news, StreamGap, live=True)

    await asyncio.to_thread(world.gateway.place_order, make_order(Side.BUY, OrderType.MARKET))

    filled = await until(news, ExecutionReport, status=VenueStatus.FILLED)
    assert filled.executed_quantity == Decimal("0.01")


async def test_a_quiet_but_living_line_is_kept(
    world: SimulatorWorld, news: AsyncIterator[News], make_order: MakeOrder
) -> None:
    waiting = asyncio.ensure_future(anext(news))
    await asyncio.sleep(3.2)
    assert not waiting.done()

    await asyncio.to_thread(world.gateway.place_order, make_order(Side.BUY, OrderType.MARKET))

    assert isinstance(await asyncio.wait_for(waiting, 60), ExecutionReport)
