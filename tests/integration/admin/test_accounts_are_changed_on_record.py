from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from audit.models import Event
from exchanges.models import VenueAccount
from tests.limits import set_limits
from tests.people import logged_in
from trading.models import VirtualAccount
from trading.services.money import account_settings

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> VirtualAccount:
    return VirtualAccount.objects.get(name="simulator")


def form_of(account: VirtualAccount, **changes) -> dict[str, object]:
    fields = {
        "enabled": account.enabled,
        "is_default": account.is_default,
        "allowed_symbols": "[]",
        "default_order_type": account.default_order_type,
        "sizing_model": account.sizing_model,
        **changes,
    }
    return {k: ("on" if v is True else v) for k, v in fields.items() if v is not False}


def page_of(account: VirtualAccount) -> str:
    return reverse("admin:trading_virtualaccount_change", args=(account.pk,))


def test_a_change_is_kept_with_before_after_and_author(browser, account):
    answer = browser.post(page_of(account), form_of(account, default_order_type="LIMIT"))

    assert answer.status_code == 302, answer.context["errors"]
    account.refresh_from_db()
    assert account.default_order_type == "LIMIT"
    event = Event.objects.get(kind="account.changed")
    assert event.actor == "operator"
    assert event.subject_id == str(account.pk)
    assert event.data["before"] == {"default_order_type": "MARKET"}
    assert event.data["after"] == {"default_order_type": "LIMIT"}


def test_a_trading_window_is_kept_in_one_way_of_writing(browser, account):
    browser.post(page_of(account), form_of(account, trading_window="us-equity"))
    account.refresh_from_db()
    assert account.trading_window == "09:30-16:00 America/New_York mon-fri"

    browser.post(page_of(account), form_of(account, trading_window="9:30-16:00"))  # refused
    browser.post(page_of(account), form_of(account, trading_window="US-EQUITY"))  # the same
    browser.post(page_of(account), form_of(account, trading_window="24/7"))

    account.refresh_from_db()
    assert account.trading_window == ""
    assert Event.objects.filter(kind="account.changed").count() == 2


def test_saving_without_a_change_writes_nothing(browser, account):
    assert browser.post(page_of(account), form_of(account)).status_code == 302

    assert not Event.objects.filter(kind="account.changed").exists()


def test_the_page_shows_who_changed_what(browser, account):
    account_settings.change(account_id=account.pk, changes={"enabled": False}, actor="ben")

    page = browser.get(page_of(account)).content.decode()

    assert "account.changed" in page
    assert "before.enabled=True" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sizing_model", "martingale"),
        ("default_order_type", "LIMIT_MAKER"),
        ("allowed_symbols", '"BTCUSDT"'),
        ("allowed_symbols", '["btc/usdt"]'),
        ("trading_window", "09:30-16:00 Atlantis"),
    ],
)
def test_nonsense_is_refused_on_its_field(field, value, browser, account):
    answer = browser.post(page_of(account), form_of(account, **{field: value}))

    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert not Event.objects.filter(kind="account.changed").exists()


def test_the_page_shows_what_holds_and_from_where(browser, account):
    set_limits(scope="account", key="simulator", max_open_positions=3)

    page = browser.get(page_of(account)).content.decode()

    assert "account simulator, version" in page
    assert "Positions (and entries on their way)" in page


def test_the_venue_and_the_name_of_an_account_stay(account):
    with pytest.raises(ValidationError):
        account_settings.change(account_id=account.pk, changes={"name": "other"}, actor="ann")


def test_only_one_account_is_the_default_and_both_changes_are_told(account):
    other = account_settings.create(
        VirtualAccount(name="second", venue_account=account.venue_account), actor="ann"
    )

    account_settings.change(account_id=other.pk, changes={"is_default": True}, actor="ann")

    assert list(VirtualAccount.objects.filter(is_default=True)) == [other]
    told = Event.objects.filter(kind="account.changed").order_by("pk")
    assert [e.data["name"] for e in told] == ["simulator", "second"]


def test_an_account_above_the_configured_ceiling_cannot_be_enabled(account):
    venue = VenueAccount.objects.create(environment="mainnet")
    real = account_settings.create(
        VirtualAccount(name="real", venue_account=venue, enabled=True), actor="ann"
    )
    assert not real.enabled

    with pytest.raises(ValidationError) as refused:
        account_settings.change(account_id=real.pk, changes={"enabled": True}, actor="ann")

    assert "enabled" in refused.value.message_dict


def test_a_new_account_is_made_in_the_admin(browser, account):
    form = form_of(account, name="second", venue_account=account.venue_account_id)
    answer = browser.post(reverse("admin:trading_virtualaccount_add"), form)

    assert answer.status_code == 302, answer.context["errors"]
    made = VirtualAccount.objects.get(name="second")
    assert made.is_default
    event = Event.objects.get(kind="account.created", subject_id=str(made.pk))
    assert event.actor == "operator"


def test_people_who_may_only_look_cannot_change(account):
    looker = logged_in("trading.view_virtualaccount")

    assert looker.get(page_of(account)).status_code == 200
    assert looker.post(page_of(account), form_of(account, enabled=False)).status_code == 403


def test_nobody_deletes_an_account(browser, account):
    address = reverse("admin:trading_virtualaccount_delete", args=(account.pk,))

    assert browser.post(address, {"post": "yes"}).status_code == 403
