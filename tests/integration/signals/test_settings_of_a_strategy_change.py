"""Settings of our own strategies: first values, changes with a reason, refusals by field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from signals_app.models import StrategySetting
from signals_app.services import strategy_settings
from signals_app.services.strategy_settings import Wish
from signals_app.strategies import catalogue

pytestmark = pytest.mark.django_db


def test_every_strategy_of_the_catalogue_has_settings():
    strategy_settings.ensure()
    strategy_settings.ensure()
    assert StrategySetting.objects.count() == len(catalogue.SPECS)


def test_an_unknown_strategy_is_named():
    with pytest.raises(strategy_settings.UnknownStrategy, match="nobody"):
        strategy_settings.change(
            strategy_id="nobody", wish=Wish(mode="off"), reason="x", actor="olga"
        )


class TestOne:
    @property
    def spec(self):
        return catalogue.BY_ID["volume_surge_breakout"]

    def change(self, wish: Wish, reason: str = "trial"):
        return strategy_settings.change(
            strategy_id=self.spec.strategy_id, wish=wish, reason=reason, actor="olga"
        )

    def test_a_change_is_on_record(self):
        param = next(p for p in self.spec.params if not p.is_whole)
        before = strategy_settings.of(self.spec.strategy_id)
        params = {param.name: param.default * 1.1}
        held = self.change(Wish(mode="off", symbols=["ethusdt"], params=params))
        assert (held.mode, held.symbols, held.version) == ("off", ("ETHUSDT",), before.version + 1)
        assert held.params == self.spec.defaults() | params
        event = Event.objects.get(kind="strategy.changed")
        assert (event.actor, event.data["reason"]) == ("olga", "trial")
        assert event.data["before"]["mode"] == before.mode

    def test_the_same_again_is_no_change(self):
        self.change(Wish(mode="off"))
        version = self.change(Wish(mode="off")).version
        assert version == strategy_settings.of(self.spec.strategy_id).version
        assert Event.objects.filter(kind="strategy.changed").count() == 1

    @pytest.mark.parametrize(
        ("wish", "field"),
        [
            (Wish(mode="loud"), "mode"),
            (Wish(symbols=["<b>"]), "symbols"),
            (Wish(timeframes=["2m"]), "timeframes"),
            (Wish(params={"nonsense": 1}), "params"),
        ],
    )
    def test_what_is_wrong_is_named(self, wish: Wish, field: str):
        with pytest.raises(ValidationError) as refused:
            self.change(wish)
        assert field in refused.value.message_dict

    @pytest.mark.parametrize(
        ("wish", "field", "fix"),
        [
            (Wish(symbols=["dogeusdt"]), "symbols", "TRADING_SYMBOLS"),
            (Wish(timeframes=["3m"]), "timeframes", "CANDLE_INTERVALS"),
        ],
    )
    def test_what_nobody_feeds_is_refused_with_the_fix(self, wish: Wish, field: str, fix: str):
        strategy = "golden_cross"
        with pytest.raises(ValidationError) as refused:
            strategy_settings.change(strategy_id=strategy, wish=wish, reason="why", actor="ann")
        assert fix in refused.value.message_dict[field][0]
        off = replace(wish, mode="off")
        strategy_settings.change(strategy_id=strategy, wish=off, reason="later", actor="ann")

    def test_a_reason_is_asked_for(self):
        with pytest.raises(ValidationError) as refused:
            self.change(Wish(mode="off"), reason=" ")
        assert "reason" in refused.value.message_dict

    def test_settings_nobody_can_read_switch_it_off(self):
        strategy_settings.ensure()
        StrategySetting.objects.filter(strategy_id=self.spec.strategy_id).update(
            mode="live", params={"nonsense": 1}
        )
        assert strategy_settings.of(self.spec.strategy_id).mode == "off"
