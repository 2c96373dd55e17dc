from __future__ import annotations

import pytest

from petrosa_site.celery import app
from trading import tasks

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
