"""The limit book in the admin: asking for a change, approving and declining one."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.people import logged_in
from trading.models import LimitChange, StrategyMapping, VirtualAccount
from trading.services.control import limits

pytestmark = pytest.mark.django_db

ADD = "admin:trading_limitchange_add"


def form(**changes) -> dict[str, str]:
    asked = {
        "name": "max_open_positions",
        "after": "3",
        "scope": "global",
        "key": "",
        "reason": "quiet day",
    }
    return asked | changes


def value(name: str = "max_open_positions"):
    return limits.value_of(VirtualAccount.objects.get(name="simulator"), name)


def pending() -> LimitChange:
    wish = limits.Wish("global", "", "max_open_positions", "9", "busy day")
    change = limits.set_limit(wish, actor="ann")
    assert change is not None
    return change


def test_a_change_is_asked_for_and_holds(browser):
    answer = browser.post(reverse(ADD), form())
    assert answer.status_code == 302, answer.context["errors"]
    assert value() == 3
    assert LimitChange.objects.get(reason="quiet day").author == "operator"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"after": "-1"}, "after"),
        ({"scope": "account", "key": "nobody"}, "key"),
        ({"reason": " "}, "reason"),
        ({"name": "max_luck"}, "name"),
    ],
)
def test_nonsense_is_refused_on_its_field(browser, wrong, field):
    answer = browser.post(reverse(ADD), form(**wrong))
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert value() == 5


def test_setting_what_is_set_says_so(browser):
    answer = browser.post(reverse(ADD), form(after="5"))
    assert "It is set so already." in answer.content.decode()


def test_its_page_is_not_for_its_author_to_approve(browser, settings):
    settings.FOUR_EYES = True
    browser.post(reverse(ADD), form(after="9"))
    change = LimitChange.objects.get(state="pending")
    page = browser.get(reverse("admin:trading_limitchange_change", args=(change.pk,)))
    assert "another must approve it" in page.content.decode()
    assert "Why it may hold" not in page.content.decode()


def test_a_looser_one_is_approved_by_another_on_its_page(browser, settings):
    settings.FOUR_EYES = True
    change = pending()
    page = reverse("admin:trading_limitchange_change", args=(change.pk,))
    assert "Why it may hold" in browser.get(page).content.decode()
    browser.post(
        reverse("admin:trading_limitchange_approve", args=(change.pk,)), {"reason": "agreed"}
    )
    assert value() == 9
    assert "Why it may hold" not in browser.get(page).content.decode()


def test_declining_wants_a_reason(browser, settings):
    settings.FOUR_EYES = True
    decline = reverse("admin:trading_limitchange_decline", args=(pending().pk,))
    assert "Say why" in browser.post(decline, {"reason": ""}, follow=True).content.decode()
    browser.post(decline, {"reason": "not today"})
    assert LimitChange.objects.get(author="ann").state == "declined"


def test_who_may_only_look_changes_nothing(settings):
    settings.FOUR_EYES = True
    change = pending()
    looker = logged_in("trading.view_limitchange")
    approve = reverse("admin:trading_limitchange_approve", args=(change.pk,))
    assert looker.post(approve, {"reason": "r"}).status_code == 403
    assert looker.post(reverse(ADD), form()).status_code == 403
    assert looker.get(approve).status_code == 405
    assert value() == 5


def test_a_strategy_is_mapped_and_unmapped(browser):
    account = VirtualAccount.objects.get(name="simulator")
    add = reverse("admin:trading_strategymapping_add")
    browser.post(add, {"strategy_id": "skew", "account": account.pk})
    made = StrategyMapping.objects.get()
    assert (made.strategy_id, made.mapped_by) == ("skew", "operator")
    delete = reverse("admin:trading_strategymapping_delete", args=(made.pk,))
    browser.post(delete, {"post": "yes"})
    assert not StrategyMapping.objects.exists()
