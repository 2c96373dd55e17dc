"""Our strategies in the admin: one field for each parameter, presets, modes, reasons."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from signals_app.models import Signal, StrategySetting
from signals_app.services import strategy_settings
from signals_app.strategies import catalogue
from tests.people import logged_in

pytestmark = pytest.mark.django_db
LIST = "admin:signals_app_strategysetting_changelist"
SKEW = catalogue.BY_ID["orderbook_skew"]


@pytest.fixture(autouse=True)
def rows():
    strategy_settings.ensure()


def row(strategy_id: str = "orderbook_skew") -> StrategySetting:
    return StrategySetting.objects.get(strategy_id=strategy_id)


def page(strategy_id: str = "orderbook_skew") -> str:
    return reverse("admin:signals_app_strategysetting_change", args=(row(strategy_id).pk,))


def form(**changes) -> dict[str, str]:
    values = {f"param_{name}": f"{value:g}" for name, value in SKEW.defaults().items()}
    return {
        "version": "1",
        "mode": "live",
        "wanted_symbols": "",
        "reason": "too eager",
        **values,
    } | changes


def test_its_page_tells_what_it_is(browser):
    text = browser.get(page()).content.decode()
    assert SKEW.formula in text
    for param in SKEW.params:
        assert param.meaning in text
        assert param.unit in text
    assert "?preset=recommended" in text


def test_a_change_holds_and_is_on_record(browser):
    answer = browser.post(page(), form(param_buy_threshold="1.5", wanted_symbols="btcusdt"))
    assert answer.status_code == 302, answer.context["errors"]
    setting = strategy_settings.of("orderbook_skew")
    assert (setting.params["buy_threshold"], setting.symbols) == (1.5, ("BTCUSDT",))
    event = Event.objects.get(kind="strategy.changed")
    assert (event.actor, event.data["reason"]) == ("operator", "too eager")
    assert "too eager" in browser.get(page()).content.decode()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"param_buy_threshold": "0.5"}, "param_buy_threshold"),
        ({"param_top_levels": "2.5"}, "param_top_levels"),
        ({"param_sell_threshold": "nan"}, "param_sell_threshold"),
        ({"param_sell_threshold": ""}, "param_sell_threshold"),
        ({"mode": "loud"}, "mode"),
        ({"wanted_symbols": "BTC/*"}, "wanted_symbols"),
        ({"reason": " "}, "reason"),
    ],
)
def test_nonsense_is_refused_on_its_field(browser, wrong, field):
    answer = browser.post(page(), form(**wrong))
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert row().version == 1


def test_the_second_of_two_who_looked_at_the_same_is_told_and_undoes_nothing(browser):
    seen = browser.get(page()).context["adminform"].form["version"].value()
    ivan = logged_in("signals_app.view_strategysetting", "signals_app.change_strategysetting")
    asked = form(version=str(seen), param_buy_threshold="2")
    assert ivan.post(page(), asked).status_code == 302
    late = browser.post(page(), form(version=str(seen), param_top_levels="7"))
    assert "changed meanwhile by ann (version 2): look at it again" in late.content.decode()
    assert row().params == {"buy_threshold": 2.0}
    assert row().version == 2


def test_a_form_that_does_not_say_what_it_was_made_from_is_refused(browser):
    asked = {name: value for name, value in form().items() if name != "version"}
    assert "names no version" in browser.post(page(), asked).content.decode()
    assert row().version == 1


def test_its_version_is_in_the_form_and_not_to_be_seen(browser):
    text = browser.get(page()).content.decode()
    assert '<input type="hidden" name="version" value="1"' in text
    assert text.index("<form") < text.index('name="version"') < text.index('name="reason"')
    assert 'for="id_version"' not in text


def test_a_long_list_of_symbols_is_shortened_in_the_trail(browser, settings):
    symbols = [f"S{number}USDT" for number in range(500)]
    settings.TRADING_SYMBOLS = tuple(symbols)
    browser.post(page(), form(wanted_symbols=" ".join(symbols)))
    trail = browser.get(page()).content.decode().rsplit("Audit trail", 1)[1]
    assert "S0USDT, S1USDT" in trail
    assert "S7USDT and 492 more" in trail
    assert "S8USDT" not in trail


def test_weights_that_weigh_nothing_are_refused_together(browser):
    spec = catalogue.BY_ID["trade_momentum"]
    values = {f"param_{name}": f"{value:g}" for name, value in spec.defaults().items()}
    values |= {f"param_{one}_weight": "0" for one in ("price", "quantity", "maker")}
    answer = browser.post(
        page("trade_momentum"), {"version": "1", "mode": "live", "reason": "x", **values}
    )
    assert "param_price_weight" in answer.context["adminform"].form.errors


def test_a_preset_is_filled_in_and_not_saved(browser):
    answer = browser.get(page() + "?preset=recommended")
    assert answer.context["adminform"].form["param_min_spread_percent"].value() == "0"
    assert row().version == 1


def test_several_are_put_in_shadow_at_once(browser):
    both = [row().pk, row("trade_momentum").pk]
    asked = {"action": "to_shadow", "_selected_action": both, "reason": "to be watched"}
    browser.post(reverse(LIST), asked)
    assert {row().mode, row("trade_momentum").mode} == {"shadow"}
    assert Event.objects.filter(kind="strategy.changed").count() == 2


def test_several_need_a_reason_too(browser):
    asked = {"action": "switch_off", "_selected_action": [row().pk], "reason": ""}
    answer = browser.post(reverse(LIST), asked, follow=True)
    assert "Say why" in answer.content.decode()
    assert row().mode == "live"


def test_viewers_read_and_change_nothing():
    viewer = logged_in("signals_app.view_strategysetting")
    text = viewer.get(page()).content.decode()
    assert SKEW.formula in text
    assert "?preset=" not in text
    assert viewer.post(page(), form(param_buy_threshold="2")).status_code == 403
    asked = {"action": "switch_off", "_selected_action": [row().pk], "reason": "because"}
    viewer.post(reverse(LIST), asked)
    assert (row().mode, row().version) == ("live", 1)


def test_a_strategy_that_is_no_longer_ours_can_be_read(browser):
    old = StrategySetting.objects.create(
        strategy_id="gone", mode="live", changed_at=timezone.now(), changed_by="ann"
    )
    address = reverse("admin:signals_app_strategysetting_change", args=(old.pk,))
    assert browser.get(address).status_code == 200
    assert browser.get(reverse(LIST)).status_code == 200


def test_script_tags_stay_text(browser):
    attack = "<script>alert('x')</script>"
    browser.post(page(), form(param_buy_threshold="1.5", reason=attack))
    now = timezone.now()
    Signal.objects.create(
        uid="u",
        source="nats",
        status="shadow",
        strategy_id="orderbook_skew",
        symbol=attack[:32],
        action="buy",
        raw=b"",
        raw_length=0,
        raw_sha256="",
        correlation_id="c",
        actor="nats",
        received_at=now,
    )
    text = browser.get(page()).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
