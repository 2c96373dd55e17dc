from __future__ import annotations

import pytest
from django.utils import timezone

from petrosa_site.celery import app
from trading import tasks
from trading.models import Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def position_id(send, venue) -> int:
    [position_id] = send(stop_loss=44000).positions
    return position_id


def taken() -> list[bool]:
    """Take the wishes off the broker; say of each whether it is to wait."""
    found = []
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("exits")
        while True:
            try:
                message = queue.get(timeout=0.5)
            except queue.Empty:
                break
            message.ack()
            if message.headers["task"] == "trading.protect":
                found.append(message.headers["eta"] is not None)
        queue.close()
    return found


def test_the_first_wish_is_answered_at_once(position_id):
    tasks.want_protection(position_id)
    assert taken() == [False]


def test_many_wishes_are_one_look(position_id):
    for _ in range(5):
        tasks.want_protection(position_id)
    assert taken() == [False]


def test_a_wish_right_after_a_look_waits_a_little(position_id):
    tasks.want_protection(position_id)
    taken()
    tasks.protect(position_id)
    tasks.want_protection(position_id)
    assert taken() == [True]


def test_after_a_close_the_next_position_waits_for_nothing(position_id, send):
    tasks.protect(position_id)
    send(action="close", quantity=None)
    tasks.protect(position_id)
    taken()

    send(stop_loss=44000)
    tasks.want_protection(position_id)

    assert taken()[0] is False


def next_look(position_id: int) -> float:
    """Return in how many seconds the guard looks at the position whatever anybody wishes."""
    at = Position.objects.get(pk=position_id).next_look_at
    assert at is not None
    return (at - timezone.now()).total_seconds()


def test_the_guard_looks_at_a_new_position_soon(position_id):
    assert next_look(position_id) <= 0.2


def test_a_part_that_follows_a_protected_one_gives_others_time_to_come(position_id, send):
    keeper.ensure(position_id, actor="test")

    send()

    assert 0.2 < next_look(position_id) <= 1.5


def test_a_part_that_follows_never_puts_off_the_look_at_what_is_bare(position_id, send):
    send()

    assert next_look(position_id) <= 0.2


def test_a_part_that_came_during_the_look_is_left_to_its_wish(
    position_id, send, venue, monkeypatch
):
    """Fills that come faster than one look would otherwise keep the guard looking without end."""
    settle = keeper._settle

    def too_late(*args):
        send()
        return settle(*args)

    monkeypatch.setattr(keeper, "_settle", too_late)
    keeper.ensure(position_id, actor="test")

    assert 0.2 < next_look(position_id) <= 1.5
