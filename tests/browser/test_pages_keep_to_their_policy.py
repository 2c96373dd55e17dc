"""Every page loads in Chromium without a word from the content security policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.product import a_signal

LISTS = [
    "signals_app/signal",
    "trading/decision",
    "trading/order",
    "trading/orderlist",
    "trading/fill",
    "trading/position",
    "trading/tradingstate",
    "trading/approval",
    "trading/virtualaccount",
    "audit/event",
    "exchanges/venueaccount",
    "exchanges/balance",
    "exchanges/instrumentrow",
    "auth/user",
    "auth/group",
    "authtoken/tokenproxy",
]
WIDTHS = (1400, 800, 400)


@pytest.fixture(scope="module", autouse=True)
def _something_to_see(whole) -> None:
    whole.post("/trade", a_signal(stop_loss=49000, take_profit=52000))
    whole.post("/trade", a_signal(confidence=0.1))
    whole.post("/trade", b"not json")


def fits(page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(50)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} wide on a screen of {width}"


@pytest.mark.parametrize("path", LISTS)
def test_a_list_and_its_first_row(watched, path):
    page = watched.open(f"/admin/{path}/")
    fits(page)
    page.set_viewport_size({"width": 1400, "height": 900})
    row = page.locator("#result_list tbody tr a").first
    if row.count():
        row.click()
        page.wait_for_url("**/change/**")
        fits(page)
    assert not watched.complaints


@pytest.mark.parametrize(
    "path", ["/desk/", "/admin/", "/admin/trading/tradingstate/add/", "/admin/what-if/"]
)
def test_a_page_of_its_own(watched, path):
    fits(watched.open(path))
    assert not watched.complaints


def test_what_a_signal_would_come_to(watched):
    page = watched.open("/admin/what-if/")
    page.get_by_label("Symbol").fill("BTCUSDT")
    page.get_by_label("Quantity").fill("0.01")
    page.get_by_text("What would happen?").click()
    expect(page.get_by_text("WOULD BE APPROVED")).to_be_visible()
    fits(page)
    assert not watched.complaints


def test_the_description_of_the_api_draws_and_can_be_tried(watched):
    page = watched.open("/docs")
    operation = page.locator(".opblock", has_text="/version")
    operation.click()
    operation.get_by_text("Try it out").click()
    operation.get_by_text("Execute").click()

    expect(operation.locator(".live-responses-table tbody .response-col_status")).to_have_text(
        "200"
    )
    assert not watched.complaints


@pytest.mark.parametrize("path", ["/desk/", "/desk/login/", "/docs", "/admin/"])
def test_no_policy_lets_a_script_stand_in_a_page(watched, path):
    answer = watched.page.request.get(path)
    directives = answer.headers["content-security-policy"].split(";")
    policy: dict[str, str] = dict(d.strip().partition(" ")[::2] for d in directives)

    assert "'unsafe-inline'" not in policy.get("script-src", policy["default-src"])
    assert "http" not in policy.get("script-src", policy["default-src"])
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == "'none'"
