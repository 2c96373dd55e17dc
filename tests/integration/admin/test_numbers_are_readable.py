from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from foundation.readable import number, short, text
from trading.models import Position

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("50031.9524982997829340721", "50,031.9524983"),
        ("0.00000001", "0.00000001"),
        ("1000", "1,000"),
        ("0", "0"),
    ],
)
def test_a_list_rounds_to_eight_places(value, shown):
    assert short(Decimal(value)) == shown


def test_the_page_of_one_row_keeps_every_digit():
    assert number(Decimal("50031.9524982997829340721")) == "50,031.9524982997829340721"


def test_a_missing_number_is_a_dash():
    assert short(None) == number(None) == "–"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2026-11-21T15:01:26.019845+00:00", "2026-11-21 15:01:26.019845"),
        ("2026-11-21T15:01:26Z", "2026-11-21 15:01:26"),
        ("2026-11-21T15:01:26+02:00", "2026-11-21T15:01:26+02:00"),
        ("at 2026-11-21T15:01:26Z", "at 2026-11-21T15:01:26Z"),
    ],
)
def test_a_moment_in_utc_is_written_as_people_write_it(said, shown):
    assert text(said) == shown


def test_a_stop_order_shows_the_price_that_triggers_it(browser, send):
    send(order_type="stop", stop_price=55000, stop_loss=39000, take_profit=60000)

    page = browser.get(reverse("admin:trading_order_changelist")).content.decode()

    assert "@ 55,000" in page


def test_dust_is_called_dust(browser, send):
    send()
    Position.objects.update(is_dust=True)

    page = browser.get(reverse("admin:trading_position_changelist")).content.decode()

    assert "dust" in page
    assert ">protected<" not in page.replace("\n", "").replace(" ", "")
