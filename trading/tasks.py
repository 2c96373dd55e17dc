"""Celery tasks that keep orders, positions and books straight: thin doors to the use-cases."""

from __future__ import annotations

import time

import redis
import structlog
from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from foundation import redis_client
from trading.domain.risk.types import TradingMode
from trading.models import Position, TradingState
from trading.services.control import circuit_breakers, kill_switch
from trading.services.execution import exits, flatten, reconciliation
from trading.services.money import equity
from trading.services.orders import adoption, venue_sweep
from trading.services.protection import keeper

log = structlog.get_logger(__name__)
QUEUED_FOR_SECONDS = 2  # a worker that dies with the task costs no longer
LEAST_REST_SECONDS, MOST_REST_SECONDS = 0.2, 1.0
RESTS_TIMES = 20  # as long as the look before took


def _redis() -> redis.Redis:
    return redis_client.patient(1.0)


def want_protection(position_id: int, *, after: float = 0) -> None:
    """Have a position's protection looked at `after` seconds from now; many wishes, one look.

    A first wish is answered at once. While fills come in a row the next look waits until the last
    one has rested, longer the more it took: parts that follow a protected one share an order list,
    and a loaded machine spends its time on what has no stop at all.

    It is only the fast way: whatever moved the position noted on it, in the same transaction, when
    it must be looked at, and the guard does. Without Redis it is looked at right here.
    """
    try:
        with _redis().pipeline(transaction=False) as asked:
            asked.set(_queued_key(position_id), 1, nx=True, ex=QUEUED_FOR_SECONDS)
            asked.pttl(_looked_key(position_id))
            is_first, rest_ms = asked.execute()
        if is_first:
            protect.apply_async((position_id,), countdown=max(after, rest_ms / 1000))
    except (redis.RedisError, OperationalError) as error:
        log.error("protection_not_enqueued", position_id=position_id, error=str(error))
        keeper.ensure(position_id, actor="protection")


def _queued_key(position_id: int) -> str:
    return f"petrosa:protect:{position_id}"


def _looked_key(position_id: int) -> str:
    return f"petrosa:protect:{position_id}:looked"


@shared_task(name="trading.protect")
def protect(position_id: int) -> None:
    """Bring a position's protective orders in line with what is held."""
    began = time.monotonic()
    with _redis().pipeline(transaction=False) as noted:
        noted.delete(_queued_key(position_id))  # wishes from here on want another look
        noted.set(_looked_key(position_id), 1, px=int(MOST_REST_SECONDS * 1000))
        noted.execute()
    keeper.ensure(position_id, actor="protection")
    rest = RESTS_TIMES * (time.monotonic() - began)
    rest = min(max(rest, LEAST_REST_SECONDS), MOST_REST_SECONDS)
    if Position.objects.filter(pk=position_id, is_open=True).exists():
        _redis().set(_looked_key(position_id), 1, px=int(rest * 1000))
    else:
        _redis().delete(_looked_key(position_id))  # what is bought next has no stop at all


@shared_task(name="trading.reconcile")
def reconcile() -> None:
    """Ask the venue about every order whose turn has come, and repair what follows."""
    for position_id in reconciliation.run():
        want_protection(position_id)


@shared_task(name="trading.adopt")
def adopt() -> None:
    """Take orders of ours that the books do not know into them, and have them protected."""
    for position_id in adoption.run():
        want_protection(position_id)


@shared_task(name="trading.compare_with_venues")
def compare_with_venues() -> None:
    """Look for orders and trades of ours that the books do not know."""
    for position_id in venue_sweep.run_all():
        want_protection(position_id)


def want_comparison() -> None:
    """Have the venues compared with the books soon; without Redis the next sweep does it."""
    try:
        compare_with_venues.delay()
    except (redis.RedisError, OperationalError) as error:
        log.error("comparison_not_enqueued", error=str(error))


@shared_task(name="trading.watch_protection")
def watch_protection() -> None:
    """Ring for positions that stay naked, and have them looked at again."""
    now = timezone.now()
    for position_id in {*keeper.ring_for_naked(now=now), *keeper.due(now)}:
        want_protection(position_id)
    for order in exits.due(now):
        exits.follow_up(order, actor="watch")


@shared_task(name="trading.refresh_balances")
def refresh_balances() -> None:
    reconciliation.refresh_balances()


@shared_task(name="trading.refresh_instruments")
def refresh_instruments() -> None:
    reconciliation.refresh_instruments()


def want_emptying(state: TradingState) -> None:
    """Have a stop that was just engaged carried out, when its level asks for more than a halt.

    `control.engage` calls this on commit, for every door. Without Redis no worker hears of it and
    no sweep runs, so it is carried out right here.
    """
    if TradingMode(state.mode) not in kill_switch.ACTS:
        return
    try:
        empty.delay(state.pk, at_once=True)
    except (redis.RedisError, OperationalError) as error:
        log.error("emptying_not_enqueued", state=state.pk, error=str(error))
        empty(state.pk, at_once=True)


@shared_task(name="trading.empty")
def empty(state_id: int, *, at_once: bool = False) -> None:
    """Do what is left of a stop: cancel entries, sell what is held."""
    for position_id in flatten.carry_out(state_id, at_once=at_once):
        want_protection(position_id)


@shared_task(name="trading.sweep_stops")
def sweep_stops() -> None:
    """Go on with stops that a crash, a failure or late news left unfinished."""
    for state_id in flatten.unfinished():
        empty.delay(state_id)


@shared_task(name="trading.watch_equity")
def watch_equity() -> None:
    """Value every account, and take the steps that its losses ask for."""
    equity.watch()


@shared_task(name="trading.watch_trips")
def watch_trips() -> None:
    """Stop trading where a circuit breaker says so; then ask for what the next look needs."""
    circuit_breakers.watch()
    circuit_breakers.freshen()
