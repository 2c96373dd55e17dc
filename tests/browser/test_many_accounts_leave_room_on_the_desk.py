"""With many accounts the desk still shows what is held and what was ordered."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.product import a_signal, product

NAMES = ("momentum", "breakout", "grid", "a-rather-long-name-for-an-account-of-a-desk")


@pytest.fixture(scope="module")
def desk(chromium, tmp_path_factory):
    """The desk of a product of its own: five accounts, one position, orders."""
    with product(tmp_path_factory.mktemp("many"), MAX_POSITION_NOTIONAL="0") as made:
        for name in NAMES:
            made.manage("accounts", "create", name, "--environment", "simulator")
        made.start("web", "exits", "worker")
        made.wait_until_ready()
        bought = made.post("/trade", a_signal(stop_loss=49000, take_profit=52000))
        assert bought.status == 200, bought.body
        for name in NAMES[:2]:
            made.manage("accounts", "fund", name, "1000", "--reason", "a ledger of its own")
        context = chromium.new_context(base_url=made.site)
        page = context.new_page()
        log_in(page, made)
        yield page
        context.close()


def show(desk: Page, width: int, height: int) -> None:
    desk.set_viewport_size({"width": width, "height": height})
    desk.goto("/desk/")
    expect(desk.locator("#accounts tr")).to_have_count(len(NAMES) + 1)
    expect(desk.locator("#positions tr")).to_have_count(1)


def assert_wholly_visible(row: Locator) -> None:
    """Neither the window nor a panel that scrolls cuts anything off it."""
    hidden_by = row.evaluate(
        """row => {
            const { top, bottom } = row.getBoundingClientRect();
            const cuts = [];
            if (top < 0 || bottom > innerHeight) cuts.push("window");
            for (let box = row.parentElement; box; box = box.parentElement) {
                const isOpen = getComputedStyle(box).overflowY === "visible";
                if (isOpen || box === document.body) continue;
                const around = box.getBoundingClientRect();
                if (top < around.top - 1 || bottom > around.bottom + 1) cuts.push(box.className);
            }
            return cuts;
        }"""
    )
    assert hidden_by == []


def test_a_position_and_an_order_are_wholly_visible_beside_five_accounts(desk):
    show(desk, 1440, 900)

    for row in desk.locator("#accounts tr").all():
        assert_wholly_visible(row)
    assert_wholly_visible(desk.locator("#positions tr").first)
    assert_wholly_visible(desk.locator("#working tr").first)


def test_a_low_window_scrolls_to_panels_of_a_usable_height(desk):
    show(desk, 1440, 600)

    row = desk.locator("#working tr").first
    row.scroll_into_view_if_needed()
    assert_wholly_visible(row)
    assert desk.locator(".panels").bounding_box()["height"] >= 400


def test_a_position_is_in_sight_on_a_small_screen(desk):
    show(desk, 800, 600)

    assert_wholly_visible(desk.locator("#positions tr").first)


def test_a_line_says_whose_money_it_is_and_the_wallet_is_there_once(desk):
    show(desk, 1440, 900)

    own = desk.locator("#accounts tr", has_text="momentum").locator("td.money")
    expect(own).to_have_text("1,000.00")
    expect(desk.locator("#accounts tr", has_text="default").locator("td.money")).to_contain_text(
        "free"
    )
    expect(desk.locator("#wallets .assets")).to_have_count(1)
