from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from audit.models import Event
from exchanges.models import Balance, VenueAccount
from foundation.statements import insert
from signals_app.models import Signal

pytestmark = pytest.mark.django_db


def same_but_for_its_id(one, other) -> bool:
    ours, theirs = (
        {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
        for row in (one, other)
    )
    ours.pop("id")
    theirs.pop("id")
    return ours == theirs


def event(n: int) -> Event:
    return Event(
        at=timezone.now(),
        kind="x",
        actor="é<script>",
        data={"n": n, "d": Decimal("1.50"), "t": timezone.now()},
    )


def test_events_come_out_alike():
    made = event(1)
    twin = Event(at=made.at, kind=made.kind, actor=made.actor, data=made.data)
    insert([made])
    Event.objects.bulk_create([twin])

    assert same_but_for_its_id(Event.objects.get(pk=made.pk), Event.objects.get(pk=twin.pk))


def test_many_rows_get_their_own_ids_in_order():
    rows = insert([event(n) for n in range(5)])

    assert [Event.objects.get(pk=row.pk).data["n"] for row in rows] == list(range(5))


def test_a_signal_with_bytes_nulls_and_money_comes_out_alike():
    now = timezone.now()

    def signal(uid: str) -> Signal:
        return Signal(
            uid=uid,
            source="test",
            status="received",
            confidence=Decimal("0.850"),
            draft={"a": [1, None]},
            raw=b"\x00\xff{}",
            raw_length=4,
            raw_sha256="0" * 64,
            correlation_id="c",
            actor="a",
            received_at=now,
        )

    one, other = signal("one"), signal("other")
    insert([one])
    other.save()
    one, other = Signal.objects.get(uid="one"), Signal.objects.get(uid="other")
    assert bytes(one.raw) == bytes(other.raw)
    assert model_to_dict(one, exclude=["id", "uid"]) == model_to_dict(other, exclude=["id", "uid"])


def test_a_second_row_under_a_unique_key_is_refused():
    account = VenueAccount.objects.get_or_create(environment="simulator")[0]
    rows = [Balance(venue_account=account, asset="X", updated_at=timezone.now()) for _ in range(2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(rows)
