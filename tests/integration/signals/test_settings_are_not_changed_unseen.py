"""Two people change one strategy: the second is told, and what nobody named stays."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from signals_app.models import StrategySetting
from signals_app.services import strategy_settings
from signals_app.services.strategy_settings import ChangedMeanwhile, Wish

pytestmark = pytest.mark.django_db
SKEW = "orderbook_skew"


def change(wish: Wish, actor: str = "olga", version: int | None = None):
    return strategy_settings.change(
        strategy_id=SKEW, wish=wish, reason="trial", actor=actor, version=version
    )


def test_a_change_of_an_older_version_is_refused_with_the_name_of_who_changed_it():
    seen = strategy_settings.of(SKEW).version
    change(Wish(mode="shadow"), version=seen)
    with pytest.raises(ChangedMeanwhile, match=rf"by olga \(version {seen + 1}\)"):
        change(Wish(mode="off"), actor="ivan", version=seen)
    assert strategy_settings.of(SKEW).mode == "shadow"


def test_who_names_no_version_changes_what_holds():
    change(Wish(mode="shadow"))
    assert change(Wish(mode="off")).mode == "off"


def test_parameters_that_are_not_named_stay():
    change(Wish(params={"buy_threshold": 2}))
    held = change(Wish(params={"top_levels": 7})).params
    assert (held["buy_threshold"], held["top_levels"]) == (2, 7)


def test_none_puts_a_parameter_back_to_the_catalogue():
    change(Wish(params={"buy_threshold": 2, "top_levels": 7}))
    held = change(Wish(params={"buy_threshold": None}))
    assert held.params == held.spec.defaults() | {"top_levels": 7}
    assert StrategySetting.objects.get(strategy_id=SKEW).params == {"top_levels": 7}


def test_an_unknown_parameter_is_refused_even_as_none():
    with pytest.raises(ValidationError, match="luck"):
        change(Wish(params={"luck": None}))


def test_one_parameter_is_held_against_those_that_stay():
    cross = "golden_cross"
    spec = strategy_settings.of(cross).spec
    smaller, larger = spec.rising[0]
    held = strategy_settings.of(cross).params
    strategy_settings.change(
        strategy_id=cross, wish=Wish(params={larger: held[larger] + 50}), reason="x", actor="a"
    )
    wish = Wish(params={smaller: held[larger] + 10})
    strategy_settings.change(strategy_id=cross, wish=wish, reason="x", actor="a")
    with pytest.raises(ValidationError, match="below"):
        strategy_settings.change(
            strategy_id=cross, wish=Wish(params={larger: None}), reason="x", actor="a"
        )


def test_what_the_catalogue_no_longer_knows_does_not_stand_in_the_way():
    strategy_settings.ensure()
    StrategySetting.objects.filter(strategy_id=SKEW).update(params={"gone": 1})
    assert change(Wish(params={"top_levels": 7})).params["top_levels"] == 7
