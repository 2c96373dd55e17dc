"""Redis is away: what is held stays protected and can be sold."""

from __future__ import annotations

import pytest

from tests import servers
from trading import tasks
from trading.domain import protection as rules
from trading.models import Order, Position
from trading.services.protection import keeper, protective_orders, situations

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis_is_away():
    servers.redis.kill()
    yield
    servers.redis.start()


def test_a_position_is_protected_by_whoever_made_it(send, redis_is_away):
    for position_id in send(stop_loss=44000).positions:
        tasks.want_protection(position_id)

    assert Order.objects.get(role="stop_loss").status == "OPEN"
    assert Position.objects.get().naked_since is None


def test_a_position_can_be_closed(send, request):
    send(stop_loss=44000)
    keeper.ensure(Position.objects.get().pk, actor="test")
    request.getfixturevalue("redis_is_away")

    outcome = send(action="close", quantity=None)

    assert outcome.order is not None
    assert outcome.order.status == "FILLED"


def test_two_who_looked_at_once_do_not_both_protect(send, redis_is_away):
    send(stop_loss=44000)
    position = Position.objects.get()
    # Another placed after our look and before our own placing.
    ours = situations.look(position, situations.Learned(), "test")
    assert ours is not None
    keeper.ensure(position.pk, actor="another")

    [placed] = rules.plan(ours).actions
    assert isinstance(placed, rules.PlaceOco | rules.PlaceStop)
    assert protective_orders.write(position, placed, reason="late", actor="test") == []

    assert Order.objects.filter(role="stop_loss").count() == 1
