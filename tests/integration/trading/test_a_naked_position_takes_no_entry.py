from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from trading.domain.risk import assess
from trading.models import Position
from trading.services.protection import keeper
from trading.services.risk import decision_record

pytestmark = pytest.mark.django_db


def naked_for(seconds: float) -> None:
    Position.objects.update(naked_since=timezone.now() - timedelta(seconds=seconds))


def test_no_entry_is_sent_while_it_is_naked(send, venue):
    send(stop_loss=44000)
    naked_for(10)
    before = venue.count("place_order")

    outcome = send(stop_loss=44000)

    assert outcome.decision.code == "POSITION_UNPROTECTED"
    assert venue.count("place_order") == before


def test_it_is_entered_again_once_it_is_protected(send):
    send(stop_loss=44000)
    naked_for(10)
    keeper.ensure(Position.objects.get().pk, actor="test")

    assert send(stop_loss=44000).decision.approved


def test_an_add_on_right_after_the_fill_passes(send):
    send(stop_loss=44000)

    assert send(stop_loss=44000).decision.approved


def test_a_naked_position_is_closed_all_the_same(send):
    send(stop_loss=44000)
    naked_for(3600)

    assert send(action="close", quantity=None).order.status == "FILLED"


def test_a_replay_of_the_denial_gives_the_same_word(send):
    send(stop_loss=44000)
    naked_for(10)
    decision = send(stop_loss=44000).decision

    again = assess.assess(
        decision_record.intent_of(decision), decision_record.snapshot_of(decision)
    )

    assert again.denial is not None
    assert again.denial.message == decision.message
