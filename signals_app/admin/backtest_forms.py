"""Asking for a backtest or a sweep in the admin; objections come from the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from exchanges.domain.candles import INTERVALS
from exchanges.models.venues import ENVIRONMENTS
from signals_app.services import backtest_plan
from signals_app.services.backtest_plan import Wish
from trading.domain.risk.types import SizingModel

FIRST = Wish("", "", "")


def _text(label: str, initial: str = "", help_text: str = "", required: bool = True) -> Any:
    return forms.CharField(
        label=label,
        initial=initial,
        help_text=help_text,
        required=required,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
    )


def _choice(label: str, choices: Any, initial: str = "", help_text: str = "") -> Any:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        initial=initial,
        help_text=help_text,
        widget=UnfoldAdminSelectWidget,
    )


def _strategies() -> list[tuple[str, str]]:
    return [(spec.strategy_id, spec.title) for spec in backtest_plan.runnable()]


class BacktestForm(forms.Form):
    strategy = _choice("Strategy", _strategies)
    symbol = _text("Symbol", "BTCUSDT")
    interval = _choice("Candles", [(name, name) for name in INTERVALS], "15m")
    environment = _choice(
        "History of", ENVIRONMENTS, FIRST.environment, "Whose stored candles are taken."
    )
    start = _text("From", help_text="UTC, as 2025-01-31; empty: all there is.", required=False)
    end = _text("To", help_text="Not included.", required=False)
    params = _text(
        "Parameters", help_text="Others than the default, as fast=10 slow=30.", required=False
    )
    sizing_model = _choice(
        "Sizing", [(m.value, m.value.replace("_", " ")) for m in SizingModel], FIRST.sizing_model
    )
    cash = _text("Money to begin with", FIRST.cash, "Quote units.")
    fee_bps = _text("Fee", FIRST.fee_bps, "Basis points of what is traded.")
    spread_bps = _text("Spread", FIRST.spread_bps, "Basis points between bid and ask.")
    slippage_bps = _text("Slippage", FIRST.slippage_bps, "Basis points lost beyond it.")
    depth_per_bps = _text(
        "Depth", FIRST.depth_per_bps, "Quote units in each basis point; 0: any size fills."
    )
    latency_ms = forms.IntegerField(
        label="Latency",
        initial=FIRST.latency_ms,
        help_text="Milliseconds from decision to arrival.",
        widget=UnfoldAdminTextInputWidget,
    )

    def wish(self) -> Wish | None:
        """Return what is asked for, or None with the objection on its field."""
        given = dict(self.cleaned_data)
        strategy = given.pop("strategy")
        try:
            params = read_params(given.pop("params"))
        except ValueError as error:
            self.add_error("params", str(error))
            return None
        names = Wish.__slots__
        rest = {name: value for name, value in given.items() if name in names}
        rest["symbol"] = rest["symbol"].upper()
        return Wish(strategy_id=strategy, params=params, **rest)

    def ask(self, asking: Callable[[Wish], Any]) -> Any:
        """Ask a service; None with its objections on their fields."""
        wish = self.wish()
        if wish is None:
            return None
        try:
            return asking(wish)
        except ValidationError as error:
            for name, words in error.message_dict.items():
                here = name if name in self.fields else None
                self.add_error(here, words if here else f"{name}: {' '.join(words)}")
        return None


class SweepForm(BacktestForm):
    grid = forms.CharField(
        label="Values to try",
        help_text="A parameter in each line, as fast=5:50:5 (from, to and step) or slow=20,50,100.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    windows = forms.IntegerField(
        label="Windows",
        initial=4,
        help_text="How often parameters are chosen and then measured on what follows.",
        widget=UnfoldAdminTextInputWidget,
    )
    ratio = forms.IntegerField(
        label="In-sample",
        initial=3,
        help_text="Times as long as the stretch that follows.",
        widget=UnfoldAdminTextInputWidget,
    )

    def tried(self) -> dict[str, str]:
        lines = self.cleaned_data["grid"].replace(";", "\n").splitlines()
        pairs = (line.partition("=") for line in lines if line.strip())
        return {name.strip(): values.strip() for name, _, values in pairs}


def read_params(text: str) -> dict[str, float]:
    """Read `fast=10 slow=30`. Raise ValueError naming the word."""
    found = {}
    for word in text.replace(",", " ").split():
        name, is_there, value = word.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            is_there = ""
        if not is_there or not name:
            raise ValueError(f"write {word!r} as name=number, such as fast=10")
    return found
