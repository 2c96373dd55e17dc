"""Another person with the right approves over the API, and in the admin."""

from __future__ import annotations

import pytest
from django.urls import reverse

from exchanges.models import VenueAccount
from tests.people import logged_in
from trading.models import Approval, StrategyMapping, TradingState, VirtualAccount
from trading.services.control import kill_switch

RELEASE = "trading.release_kill_switch"


@pytest.fixture
def waiting(exchange, person, settings):
    """A release that ann asked for."""
    settings.FOUR_EYES = True
    state = kill_switch.engage(actor="trip:venue-errors", reason="30 of 30")
    answer = person(RELEASE).post(
        f"/api/v1/trading-state/{state.pk}/release/", {"reason": "calm"}, format="json"
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    return f"/api/v1/approvals/{answer.json()['id']}"


def test_it_waits_in_the_list(waiting, person):
    [row] = person(name="eve").get("/api/v1/approvals/?state=pending").json()["results"]

    assert (row["kind"], row["author"], row["reason"]) == ("release_stop", "ann", "calm")


def test_another_approves(waiting, person):
    answer = person(RELEASE, name="ben").post(
        f"{waiting}/approve/", {"reason": "ok"}, format="json"
    )

    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert TradingState.objects.get().released_by == "ben"


def test_the_same_person_does_not(waiting, person, django_user_model):
    from rest_framework.test import APIClient

    ann = APIClient()
    ann.force_authenticate(django_user_model.objects.get(username="ann"))
    answer = ann.post(f"{waiting}/approve/", {"reason": "ok"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "SECOND_PERSON_NEEDED")
    assert TradingState.objects.get().released_at is None


@pytest.mark.parametrize("verb", ["approve", "decline"])
def test_it_takes_the_permission_of_the_act_itself(waiting, person, verb):
    other = person("trading.change_virtualaccount", name="ben")

    assert other.post(f"{waiting}/{verb}/", {"reason": "ok"}, format="json").status_code == 403
    assert Approval.objects.get().state == "pending"


def test_a_no_is_final(waiting, person):
    ben = person(RELEASE, name="ben")
    assert ben.post(f"{waiting}/decline/", {"reason": "no"}, format="json").status_code == 200

    answer = ben.post(f"{waiting}/approve/", {"reason": "ok"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "APPROVAL_NOT_WAITING")


class TestTheAdmin:
    @pytest.fixture
    def row(self, waiting) -> Approval:
        return Approval.objects.get()

    def test_another_approves_on_its_page(self, row):
        ben = logged_in(RELEASE, username="ben")
        page = reverse("admin:trading_approval_change", args=(row.pk,))
        assert "Approve" in ben.get(page).content.decode()
        ben.post(reverse("admin:trading_approval_approve", args=(row.pk,)), {"reason": ""})

        assert TradingState.objects.get().released_by == "ben"

    def test_without_the_permission_there_is_no_page_and_no_deed(self, row):
        eve = logged_in("trading.trade", username="eve")

        assert eve.get(reverse("admin:trading_approval_changelist")).status_code == 403
        address = reverse("admin:trading_approval_approve", args=(row.pk,))
        assert eve.post(address).status_code == 403
        assert TradingState.objects.get().released_at is None


def test_a_mapping_to_real_money_waits_in_the_admin(exchange, settings):
    settings.FOUR_EYES = True
    place = VenueAccount.objects.create(environment="mainnet")
    account = VirtualAccount.objects.create(name="real", venue_account=place, enabled=False)
    may = ("trading.add_strategymapping", "trading.change_strategymapping")
    ann = logged_in(*may, "trading.view_strategymapping")

    page = ann.post(
        reverse("admin:trading_strategymapping_add"),
        {"strategy_id": "skew", "account": account.pk},
        follow=True,
    )

    assert "another person must approve it" in page.content.decode()
    assert not StrategyMapping.objects.exists()
    assert Approval.objects.get().words == "have skew trade real money in real"
