"""The budget that processes share: a real Redis, and what happens without it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from exchanges.domain.errors import RateLimited
from exchanges.venues.shared import rate_budget as budgets
from exchanges.venues.shared.rate_budget import Budget, Share
from petrosa_site.stack import ports, servers
from petrosa_site.stack.servers import Server

NOON_MS = 1795262400000


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("budget-redis")
    server = servers.started(lambda: servers.redis_server(folder, keep=False))
    yield server
    server.stop()


@pytest.fixture
def name() -> str:
    return uuid4().hex


def budget_on(server: Server, name: str, moment: list[int] | None = None) -> Budget:
    now = moment or [NOON_MS]
    return Budget(name, lambda: now[0], store=budgets.connect(server.url))


def weight(count: int) -> dict[str, str]:
    return {"X-MBX-USED-WEIGHT-1M": str(count)}


def test_what_one_process_saw_holds_back_another(redis_server: Server, name: str) -> None:
    first, second = budget_on(redis_server, name), budget_on(redis_server, name)
    first.observe(weight(5990))
    with pytest.raises(RateLimited):
        first.spend(20, Share.NORMAL)

    with pytest.raises(RateLimited):
        second.spend(20, Share.NORMAL)


def test_calls_under_way_in_other_processes_count(redis_server: Server, name: str) -> None:
    several = [budget_on(redis_server, name) for _ in range(4)]

    for turn in range(54):
        several[turn % 4].spend(100, Share.NORMAL)
    with pytest.raises(RateLimited):
        several[0].spend(100, Share.NORMAL)

    assert all(each._used("weight", NOON_MS) == 0 for each in several)


def test_a_stop_in_one_process_stops_all(redis_server: Server, name: str) -> None:
    first, second = budget_on(redis_server, name), budget_on(redis_server, name)
    first.stop(30.0, "ban")

    with pytest.raises(RateLimited) as caught:
        second.spend(1, Share.VITAL)

    assert caught.value.scope == "ban"
    assert caught.value.retry_after == pytest.approx(30)


def test_a_stop_for_orders_lets_cancels_of_all_processes_go(
    redis_server: Server, name: str
) -> None:
    first, second = budget_on(redis_server, name), budget_on(redis_server, name)
    first.stop(8.0, "orders")

    second.spend(0, Share.VITAL)
    with pytest.raises(RateLimited):
        second.spend(0, Share.VITAL, orders=1)


def test_a_shorter_stop_does_not_end_a_longer_one(redis_server: Server, name: str) -> None:
    first, second = budget_on(redis_server, name), budget_on(redis_server, name)
    first.stop(60.0, "ban")
    second.stop(1.0, "weight")
    third = budget_on(redis_server, name, [NOON_MS + 5_000])

    with pytest.raises(RateLimited) as caught:
        third.spend(1, Share.NORMAL)

    assert caught.value.retry_after == pytest.approx(55)


def test_limits_learned_by_one_process_bind_all(redis_server: Server, name: str) -> None:
    first, second = budget_on(redis_server, name), budget_on(redis_server, name)
    first.learn({"weight": 50})

    with pytest.raises(RateLimited):
        second.spend(60, Share.VITAL)


def test_the_venues_newest_order_count_is_the_one_that_counts(
    redis_server: Server, name: str
) -> None:
    first, second = budget_on(redis_server, name), budget_on(redis_server, name)
    first.learn({"orders_10s": 100})
    first.observe({"X-MBX-ORDER-COUNT-10S": "99"})
    with pytest.raises(RateLimited):
        first.spend(0, Share.ENTRY, orders=1)
    second.observe({"X-MBX-ORDER-COUNT-10S": "4"})

    second.spend(0, Share.ENTRY, orders=1)
    first.spend(0, Share.ENTRY, orders=1)


def test_a_new_window_starts_at_nothing(redis_server: Server, name: str) -> None:
    moment = [NOON_MS]
    budget = budget_on(redis_server, name, moment)
    budget.observe(weight(6000))
    with pytest.raises(RateLimited):
        budget.spend(1, Share.VITAL)

    moment[0] += 60_000

    budget.spend(1, Share.VITAL)


def test_a_call_costs_one_cheap_round_trip(redis_server: Server, name: str) -> None:
    budget = budget_on(redis_server, name)
    budget.spend(1, Share.VITAL)
    assert budget.store is not None
    before = budget.store.info("stats")["total_commands_processed"]

    for _ in range(100):
        budget.spend(0, Share.VITAL, orders=1)
        budget.observe(weight(1))

    # One EVALSHA a call; the commands inside the script count as well.
    after = budget.store.info("stats")["total_commands_processed"]
    assert after - before <= 100 * 3 + 2


def test_without_redis_calls_go_on_and_it_is_said_loudly_once(tmp_path: Path, name: str) -> None:
    server = servers.started(lambda: servers.redis_server(tmp_path, keep=False))
    budget = budget_on(server, name)
    budget.spend(1, Share.VITAL)
    server.stop()

    with capture_logs() as lines:
        started = time.perf_counter()
        for _ in range(50):
            budget.spend(4, Share.NORMAL)
        took = time.perf_counter() - started

    assert budget.is_degraded
    assert took < 10  # a refused connection a call would be fast too; a waited one is not
    said = [line for line in lines if line["event"] == "budget_without_redis"]
    assert [line["log_level"] for line in said] == ["error"]


def test_without_redis_entries_stop_at_half_and_exits_do_not(tmp_path: Path, name: str) -> None:
    budget = Budget(
        name, lambda: NOON_MS, store=budgets.connect(f"redis://127.0.0.1:{ports.free_port()}/0")
    )
    budget.learn({"orders_10s": 100})
    budget.observe({"X-MBX-ORDER-COUNT-10S": "60"})

    with pytest.raises(RateLimited):
        budget.spend(0, Share.ENTRY, orders=1)
    budget.spend(0, Share.VITAL, orders=1)


def test_a_stop_is_kept_to_without_redis(name: str) -> None:
    budget = Budget(
        name, lambda: NOON_MS, store=budgets.connect(f"redis://127.0.0.1:{ports.free_port()}/0")
    )
    budget.stop(5.0, "weight")

    with pytest.raises(RateLimited):
        budget.spend(1, Share.VITAL)


def test_it_takes_redis_up_again_when_it_is_back(redis_server: Server, name: str) -> None:
    moment = [0.0]
    budget = Budget(
        name,
        lambda: NOON_MS,
        store=budgets.connect(redis_server.url),
        steady=lambda: moment[0],
    )
    budget._store_rests_until = 2.0
    assert budget.is_degraded

    moment[0] = 3.0
    budget_on(redis_server, name).stop(30.0, "weight")

    with pytest.raises(RateLimited):
        budget.spend(1, Share.VITAL)
