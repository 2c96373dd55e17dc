from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges.models import Balance, VenueAccount

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "written",
    ["0.000999000", "1E+3", "123456789012345678.123456789012345678", "0", "-0.10", "1E-18"],
)
def test_a_number_comes_back_as_it_is_and_is_found_by_its_value(written):
    value = Decimal(written)
    account = VenueAccount.objects.get_or_create(environment="simulator")[0]
    row = Balance.objects.create(
        venue_account=account, asset="X", free=value, updated_at=timezone.now()
    )

    row.refresh_from_db()

    assert row.free == value
    assert Balance.objects.get(free=Decimal(format(value, "f"))) == row
