from __future__ import annotations

import pytest

from tests.product import a_signal

MARK = "window.hacked = true"
ATTACK = f'"><script>{MARK}</script><img src=x onerror="{MARK}"><svg onload="{MARK}">'
TEXTS = {
    "strategy_id": ATTACK[:100],
    "rationale": ATTACK,
    "source": ATTACK[:64],
    "strategy_name": ATTACK,
    "timeframe": ATTACK[:16],
    "signal_uid": ATTACK[:64],
    "metadata": {ATTACK[:60]: ATTACK, "nested": [ATTACK, {ATTACK[:30]: ATTACK}]},
    "meta": {"note": ATTACK, "order_type": ATTACK},
    "symbol": ATTACK[:32],
    "action": ATTACK,
    "confidence": ATTACK,
    "quantity": ATTACK,
    "timestamp": ATTACK,
    "order_type": ATTACK,
    "time_in_force": ATTACK,
    ATTACK[:64]: ATTACK,
}


@pytest.fixture(scope="module")
def attacked(whole):
    """Send a signal with markup in each of its fields; some are traded, some are refused."""
    answers = [
        whole.post("/trade", a_signal(**{name: text}), **{"Idempotency-Key": f"xss-{place}"})
        for place, (name, text) in enumerate(TEXTS.items())
    ]
    assert {a.status for a in answers} == {200, 400}
    whole.post("/trading/stop", {"reason": ATTACK})
    yield
    for state in whole.get("/api/v1/trading-state/").body["results"]:
        whole.post(f"/api/v1/trading-state/{state['id']}/release/", {"reason": ATTACK})


def nothing_ran(watched) -> None:
    watched.page.wait_for_timeout(100)
    assert watched.page.evaluate("window.hacked") is None, watched.page.url
    assert not watched.complaints


def test_on_the_desk(watched, attacked):
    page = watched.open("/desk/")
    page.wait_for_selector("body[data-loaded=yes]")
    page.locator("#signals tr", has_text="<script>").first.wait_for()

    nothing_ran(watched)
    assert page.locator("#main script, #main img[src=x], #main svg").count() == 0


def test_on_a_desk_that_hears_it_live(watched, whole, attacked):
    page = watched.page
    page.locator("#connection[data-state=live]").wait_for()
    whole.post("/trade", a_signal(strategy_id="><script>live</script>", rationale=ATTACK))
    page.locator("#signals tr", has_text="<script>live").first.wait_for(timeout=30000)

    nothing_ran(watched)


@pytest.mark.parametrize(
    "path",
    [
        "signals_app/signal",
        "trading/decision",
        "trading/order",
        "trading/tradingstate",
        "audit/event",
    ],
)
def test_in_the_admin(watched, attacked, path):
    page = watched.open(f"/admin/{path}/")
    nothing_ran(watched)
    rows = page.locator("#result_list tbody tr th a, #result_list tbody tr td a")
    addresses = {rows.nth(i).get_attribute("href") for i in range(min(rows.count(), 60))}
    for address in sorted(filter(None, addresses))[-6:]:
        watched.open(address)
        nothing_ran(watched)
