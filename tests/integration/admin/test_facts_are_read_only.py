from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from audit.models import Event
from exchanges.models import Balance, InstrumentRow, VenueAccount
from signals_app.models import Signal
from trading.models import Decision, Fill, Order, OrderList, Position, StopReport

pytestmark = pytest.mark.django_db
FACTS = [
    Signal,
    Decision,
    Order,
    OrderList,
    Fill,
    Position,
    StopReport,
    Balance,
    VenueAccount,
    InstrumentRow,
    Event,
]


@pytest.mark.parametrize("model", FACTS, ids=lambda m: m.__name__)
def test_nobody_may_add_change_or_delete(model, rf, operator):
    request = rf.get("/")
    request.user = operator
    page = admin.site.get_model_admin(model)

    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
    assert "delete_selected" not in page.get_actions(request)


@pytest.mark.parametrize("model", FACTS, ids=lambda m: m.__name__)
def test_posting_to_its_pages_is_refused(model, browser):
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"

    assert browser.post(reverse(f"{base}_add")).status_code == 403


def test_a_posted_change_changes_nothing(browser, send):
    order = send().order

    browser.post(reverse("admin:trading_order_change", args=(order.pk,)), {"status": "NEW"})
    order.refresh_from_db()

    assert order.status == "FILLED"


def test_a_posted_delete_deletes_nothing(browser, send):
    order = send().order
    address = reverse("admin:trading_order_delete", args=(order.pk,))

    assert browser.post(address, {"post": "yes"}).status_code == 403
    assert Order.objects.filter(pk=order.pk).exists()
