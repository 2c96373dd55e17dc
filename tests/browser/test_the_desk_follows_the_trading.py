from __future__ import annotations

import secrets

from playwright.sync_api import expect

from tests.product import a_signal


def is_live(page) -> None:
    expect(page.locator("#connection[data-state=live]")).to_be_visible()


def test_a_posted_signal_appears_without_a_reload(watched, whole):
    page = watched.page
    is_live(page)
    page.evaluate("window.sameDocument = true")
    name = f"live-{secrets.token_hex(3)}"

    assert whole.post("/trade", a_signal(strategy_id=name, stop_loss=49000)).status == 200

    row = page.locator("#signals tr", has_text=name)
    expect(row.locator(".pill", has_text="filled")).to_be_visible()
    expect(page.locator("#fills tr", has_text="BTCUSDT").first).to_be_visible()
    position = page.locator("#positions tr", has_text="BTCUSDT")
    expect(position.locator(".pill", has_text="protected")).to_be_visible()
    assert page.evaluate("window.sameDocument")
    assert not watched.complaints


def test_a_denied_signal_says_why(watched, whole):
    name = f"denied-{secrets.token_hex(3)}"

    whole.post("/trade", a_signal(strategy_id=name, confidence=0.1))

    row = watched.page.locator("#signals tr", has_text=name)
    expect(row).to_contain_text("CONFIDENCE_BELOW_MIN")


def test_one_click_stops_trading_and_every_open_desk_shows_it(watched, whole):
    page = watched.page
    is_live(page)
    other = page.context.new_page()
    other.goto("/desk/")
    is_live(other)
    try:
        page.click("text=Stop trading")

        expect(page.locator("#trading-word")).to_have_text("Trading is halted")
        expect(other.locator("#trading-word")).to_have_text("Trading is halted")
        answer = whole.post("/trade", a_signal())
        assert (answer.status, answer.body["code"]) == (400, "TRADING_HALTED")
        expect(page.locator("[data-stop=HALTED]")).to_be_hidden()
    finally:
        for state in whole.get("/api/v1/trading-state/").body["results"]:
            whole.post(f"/api/v1/trading-state/{state['id']}/release/", {"reason": "test over"})
    expect(page.locator("#trading-word")).to_have_text("Trading is active")


def test_what_flatten_would_sell_is_shown_before_and_a_release_wants_a_reason(watched, whole):
    page = watched.page
    is_live(page)
    bought = whole.post("/trade", a_signal(symbol="ETHUSDT", price=2990, quantity=0.01))
    assert bought.status == 200, bought.body
    try:
        page.click("[data-stop=FLATTEN]")
        dialog = page.locator("#stop-dialog")
        expect(dialog).to_contain_text("Positions to sell at market")
        expect(dialog).to_contain_text("ETHUSDT")
        dialog.get_by_text("Back").click()
        assert not whole.get("/api/v1/trading-state/?in_force=true").body["results"]

        page.click("[data-stop=FLATTEN]")
        dialog.get_by_label("Why (kept on record)").fill("drill")
        dialog.get_by_text("Flatten now").click()
        expect(page.locator("#trading-word")).to_have_text("Trading is halted")
        expect(page.locator("[data-stop=FLATTEN]")).to_be_hidden()

        page.locator("#trading-states").get_by_text("Release").click()
        dialog.get_by_label("Why trading may go on").fill("drill over")
        dialog.get_by_role("button", name="Release").click()
        expect(page.locator("#trading-word")).to_have_text("Trading is active")
    finally:
        for state in whole.get("/api/v1/trading-state/").body["results"]:
            whole.post(f"/api/v1/trading-state/{state['id']}/release/", {"reason": "test over"})


def test_a_stop_says_what_still_rests_at_the_venue(watched, whole):
    page = watched.page
    is_live(page)
    resting = a_signal(order_type="limit", price=47000, stop_loss=46000, take_profit=52000)
    assert whole.post("/trade", resting).body["result"]["status"] == "open"
    try:
        page.click("text=Stop trading")

        expect(page.locator("#trading-resting")).to_contain_text("still rest")
        page.click("#trading-resting a")
        expect(page.locator("#result_list")).to_contain_text("BTCUSDT")
    finally:
        for state in whole.get("/api/v1/trading-state/").body["results"]:
            whole.post(f"/api/v1/trading-state/{state['id']}/release/", {"reason": "test over"})
        for order in whole.get("/api/v1/orders/?role=entry&is_open=true").body["results"]:
            whole.post(f"/api/v1/orders/{order['id']}/cancel/", {})


def test_a_lost_server_is_told_at_once_and_heals(watched, whole):
    page = watched.page
    is_live(page)

    whole.kill("web")
    expect(page.locator("#connection-word")).to_have_text("Reconnecting")
    expect(page.locator("#old")).to_contain_text("does not answer")

    whole.start("web")
    is_live(page)
    expect(page.locator("#old")).to_be_hidden()
    name = f"healed-{secrets.token_hex(3)}"
    whole.post("/trade", a_signal(strategy_id=name))
    expect(page.locator("#signals tr", has_text=name)).to_be_visible()


def test_a_socket_lost_alone_heals_while_the_numbers_stay_fresh(watched, whole):
    page = watched.page
    is_live(page)

    page.context.set_offline(True)
    expect(page.locator("#connection-word")).to_have_text("Reconnecting")
    page.context.set_offline(False)

    is_live(page)
    expect(page.locator("#old")).to_be_hidden()


def test_a_desk_whose_session_ended_asks_for_the_login(watched):
    page = watched.page
    is_live(page)
    page.context.clear_cookies()

    page.wait_for_url("**/desk/login/**")
