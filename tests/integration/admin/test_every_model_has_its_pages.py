from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from audit.models import Event
from exchanges.models import CandleRow, TradeRow
from trading.models import LimitBook, Order, TradeCursor
from trading.models.accounts import Portfolio

pytestmark = pytest.mark.django_db
NO_PAGE = (  # counters; a lock; rows shown by the page of their series
    LimitBook,
    TradeCursor,
    Portfolio,
    CandleRow,
    TradeRow,
)
OURS = [
    model
    for app in ("audit", "exchanges", "trading", "signals_app")
    for model in apps.get_app_config(app).get_models()
    if model not in NO_PAGE
]


@pytest.mark.parametrize("model", OURS, ids=lambda m: m.__name__)
def test_it_is_in_the_admin(model):
    assert admin.site.is_registered(model)


@pytest.mark.parametrize("model", OURS, ids=lambda m: m.__name__)
def test_its_list_opens_empty_and_full(model, browser, send):
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert browser.get(address).status_code == 200
    send()
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda m: m.__name__)
def test_each_row_opens(model, browser, send):
    send()
    row = model.objects.order_by("pk").first()
    if row is None:
        pytest.skip("the corridor makes no row of this model here")
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    assert browser.get(reverse(name, args=(row.pk,))).status_code == 200


def test_a_row_that_is_not_there_is_no_error(browser):
    for model in (Order, Event):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        assert browser.get(reverse(name, args=(999,))).status_code == 302


def test_anonymous_people_are_sent_to_the_login(client):
    answer = client.get(reverse("admin:trading_order_changelist"))

    assert answer.status_code == 302
    assert "login" in answer["Location"]


def test_people_without_the_permission_see_nothing(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("ann", is_staff=True))

    assert client.get(reverse("admin:trading_order_changelist")).status_code == 403
