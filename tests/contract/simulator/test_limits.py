"""Weight, order counts, and what happens to those who ignore a refusal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchanges.venues.simulator.limits import Allowance, Limits
from exchanges.venues.simulator.process import SimulatorProcess
from exchanges.venues.simulator.refusals import Refusal
from tests.fakes.venue_client import VenueClient

MINUTE = 60_000
BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}


@pytest.fixture(scope="module")
def strict() -> Iterator[SimulatorProcess]:
    arguments = ("--weight-limit", "200", "--orders-10s", "3", "--orders-1d", "1000")
    with SimulatorProcess(
        prices="still", faults=True, unlimited=False, arguments=arguments
    ) as process:
        yield process


@pytest.fixture
def limited(strict: SimulatorProcess) -> VenueClient:
    strict.reset()
    return VenueClient(strict)


def used(reply_headers: object) -> int:
    return int(reply_headers["X-MBX-USED-WEIGHT-1M"])  # type: ignore[index]


def test_exchange_info_announces_the_limits(limited: VenueClient) -> None:
    limits = {
        (row["rateLimitType"], row["interval"]): row["limit"]
        for row in limited.ask("exchangeInfo").json["rateLimits"]
    }
    assert limits["REQUEST_WEIGHT", "MINUTE"] == 200
    assert limits["ORDERS", "SECOND"] == 3
    assert limits["ORDERS", "DAY"] == 1000


def test_every_reply_tells_the_weight_used(client: VenueClient) -> None:
    before = used(client.ask("ping").headers)
    assert used(client.ask("exchangeInfo").headers) == before + 20


@pytest.mark.parametrize(
    ("params", "weight"), [({"symbol": "BTCUSDT"}, 6), ({}, 80)], ids=["one", "all"]
)
def test_open_orders_of_all_symbols_cost_more(
    client: VenueClient, params: dict[str, str], weight: int
) -> None:
    before = used(client.ask("ping").headers)
    assert used(client.get("openOrders", **params).headers) == before + weight


def test_a_placed_order_costs_no_weight_but_a_refused_one_does(client: VenueClient) -> None:
    before = used(client.ask("ping").headers)
    accepted = client.try_limit("BUY", "40000")
    assert used(accepted.headers) == before
    assert used(client.try_limit("BUY", "40000.001").headers) == before + 1


def test_a_placement_tells_the_order_counts(client: VenueClient) -> None:
    reply = client.try_limit("BUY", "40000")
    assert int(reply.headers["X-MBX-ORDER-COUNT-10S"]) >= 1
    assert int(reply.headers["X-MBX-ORDER-COUNT-1D"]) >= 1


def test_too_much_weight_is_429_with_retry_after(limited: VenueClient) -> None:
    replies = [limited.ask("exchangeInfo") for _ in range(11)]
    refused = replies[-1]
    assert (refused.status, refused.code) == (429, -1003)
    assert 1 <= int(refused.headers["Retry-After"]) <= 61


def test_who_goes_on_after_429_is_banned(limited: VenueClient) -> None:
    statuses = [limited.ask("exchangeInfo").status for _ in range(25)]
    assert statuses[-1] == 418
    reply = limited.ask("ping")
    assert (reply.status, reply.code) == (418, -1003)
    assert 100 < int(reply.headers["Retry-After"]) <= 121


def test_too_many_unfilled_orders_is_429_with_its_own_code(limited: VenueClient) -> None:
    replies = [limited.try_limit("BUY", "40000") for _ in range(7)]
    refused = next(reply for reply in replies if reply.status == 429)
    assert refused.code == -1015
    assert 1 <= int(refused.headers["Retry-After"]) <= 10


def test_order_counts_can_be_asked_for(limited: VenueClient) -> None:
    limited.try_limit("BUY", "40000")
    rows = limited.get("rateLimit/order").json
    assert [(row["interval"], row["limit"]) for row in rows] == [("SECOND", 3), ("DAY", 1000)]
    assert rows[1]["count"] == 1


def test_a_filled_order_gives_its_count_back(limited: VenueClient) -> None:
    for _ in range(6):
        limited.buy("0.001")
    assert limited.get("rateLimit/order").json[1]["count"] == 0


# --- the counting itself -----------------------------------------------------------------------


def test_windows_start_with_the_clock_minute() -> None:
    limits = Limits(Allowance(weight_per_minute=100))
    assert limits.spend("a", 90, 5 * MINUTE + 59_999) == 90
    assert limits.spend("a", 10, 6 * MINUTE) == 10


def test_each_further_ban_lasts_twice_as_long() -> None:
    limits = Limits(Allowance(weight_per_minute=1, defiances_before_ban=0))
    now, lengths = 0, []
    for _ in range(3):
        limits.spend("a", 1, now)
        with pytest.raises(Refusal) as refused:
            limits.admit("a", 1, now)
        assert refused.value.http_status == 418
        lengths.append(int(refused.value.headers["Retry-After"]) // 60)
        now += 200 * MINUTE
    assert lengths == [2, 4, 8]


def test_addresses_are_counted_apart() -> None:
    limits = Limits(Allowance(weight_per_minute=10))
    limits.spend("a", 10, 0)
    limits.admit("b", 10, 0)
    with pytest.raises(Refusal):
        limits.admit("a", 1, 0)
