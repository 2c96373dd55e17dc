"""An account with trading hours: entries wait outside them, exits do not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from petrosa_site import env
from trading.models import Decision, VirtualAccount
from trading.services.money import account_settings, accounts

pytestmark = pytest.mark.django_db


def closed_now() -> str:
    """Hours, in UTC, that begin two hours from now."""
    opens = timezone.now() + timedelta(hours=2)
    return f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"


def keep_to(words: str) -> None:
    account = VirtualAccount.objects.get(is_default=True)
    account_settings.change(
        account_id=account.pk, changes={"trading_window": words}, actor="operator"
    )


def test_outside_the_hours_nothing_is_entered_and_everything_left(send):
    send()
    keep_to(closed_now())

    assert send().decision.code == "TRADING_WINDOW_CLOSED"
    assert send(action="close", quantity=None).decision.approved


def test_the_next_signal_within_the_hours_is_let_through(send):
    send()
    keep_to(closed_now())
    send()
    keep_to("00:00-00:00")

    assert send().decision.approved
    assert list(Decision.objects.values_list("approved", flat=True)) == [True, False, True]


def test_the_first_account_gets_the_hours_of_the_environment(settings):
    VirtualAccount.objects.all().delete()
    settings.TRADING_WINDOW = env.window(
        start="09:30", end="16:00", timezone="America/New_York", weekdays="mon-fri"
    )
    accounts.ensure_first()

    [first] = VirtualAccount.objects.all()
    assert first.trading_window == "09:30-16:00 America/New_York mon-fri"


def test_hours_in_half_are_refused_at_the_start():
    with pytest.raises(ImproperlyConfigured, match="TRADING_WINDOW"):
        env.window(start="09:30", end="", timezone="UTC", weekdays="")
