"""Words of money beside a signal's options: each means what happens, or the signal is refused.

Ignoring `dry_run: true` or `leverage: 10` would trade something else than was asked for. `SPOKEN`
lists the words of other engines by what they ask for; spelling is free (`reduceOnly`,
`reduce-only`). An exit is not held up by a word that has no meaning for an exit: that is noted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from signals_app.payload import fields
from signals_app.payload.draft import Action, PayloadError

CODE = "UNSUPPORTED_FIELD"
TRIAL_FIX = "asks for a trial, which is not read here: write 'simulate': true"
_READ = ("environment",)  # spelt so it is an option, spelt otherwise it is none
_NO = ("", "false", "no", "off", "0", "none", "null")


@dataclass(frozen=True, slots=True)
class Said:
    """One word where it stands: `path` as sent, and what the signal asks for beside it."""

    path: str
    value: Any
    action: Action
    order_type: str | None

    @property
    def text(self) -> str:
        return self.value.strip().lower() if isinstance(self.value, str) else ""

    @property
    def is_no(self) -> bool:
        return self.value is False or self.value == 0 or str(self.value).strip().lower() in _NO

    @property
    def is_entry(self) -> bool:
        return self.action is Action.BUY  # on spot a sell never opens anything


Objection = str | PayloadError | None
Reader = Callable[[Said], Objection]


def _trial(said: Said) -> Objection:
    return None if said.is_no else TRIAL_FIX


def _in_earnest(said: Said) -> Objection:
    return TRIAL_FIX if said.is_no else None


def _mode(said: Said) -> Objection:
    return TRIAL_FIX if _plain(said.text) in _TRIAL else None


_LONG, _SHORT = ("buy", "long", "bid"), ("short", "sell_short", "sellshort")
_LEAVING = ("sell", "ask", "close", "exit", "flat")


def _direction(said: Said) -> Objection:
    """A direction must be the action's; other text and figures are somebody's context."""
    if said.text in _SHORT:
        return "short: nothing is sold short on spot, a sell only closes what is held"
    known = said.text in (*_LONG, *_LEAVING)
    agrees = said.text in (_LONG if said.is_entry else _LEAVING)
    if not known or agrees:
        return None
    return PayloadError(
        said.path,
        "CONFLICTING_VALUES",
        f"action is {said.action} but {said.path} is {said.text}: send action alone",
    )


def _side(said: Said) -> Objection:
    if said.text in (*_LONG, *_LEAVING, *_SHORT):
        return _direction(said)
    return "is none that is read: write 'action' (buy, sell or close)"


def _position_side(said: Said) -> Objection:
    if said.text in ("long", "both", "net"):
        return None
    if said.text in _SHORT:
        return _direction(said)
    return "is not read on spot: leave it out"


def _leverage(said: Said) -> Objection:
    try:
        is_one = fields.number(said.path, said.value) == 1
    except PayloadError:
        is_one = False
    return None if is_one else "on spot nothing is borrowed: write 1 or leave it out"


def _margin(said: Said) -> Objection:
    if said.is_no or said.text in ("spot", "cash", "no_side_effect"):
        return None
    return "on spot nothing is borrowed: write spot or leave it out"


_DERIVATIVES = {
    *("futures", "future", "usdm", "usdtm", "um", "coinm", "cm", "perp", "perps", "perpetual"),
    *("swap", "margin", "linear", "inverse", "option", "options"),
}


def _market(said: Said) -> Objection:
    if _plain(said.text) in _DERIVATIVES:
        return "signals are traded on spot: write spot or leave it out"
    return None


def _exchange(said: Said) -> Objection:
    ours = not said.text or said.text.startswith(("binance", "simulator", "petrosa"))
    return None if ours else "signals are traded at Binance: write Binance or leave it out"


def _reduce_only(said: Said) -> Objection:
    if said.is_no or not said.is_entry:
        return None
    return "a buy opens or adds: write the action sell or close"


def _type(said: Said) -> Objection:
    kind = re.sub(r"[ -]", "_", said.text)
    if kind not in fields.ORDER_TYPES or kind == said.order_type:
        return None
    return "is not read: write 'order_type'"


def _never(fix: str) -> Reader:
    return lambda said: None if said.value is False or said.text == "none" else fix


def _unless_no(fix: str) -> Reader:
    return lambda said: None if said.is_no else fix


@dataclass(frozen=True, slots=True)
class _Rule:
    read: Reader
    binds_exits: bool = True


_RULES: tuple[tuple[_Rule, str], ...] = (
    (
        _Rule(_trial),
        "dry_run paper is_paper paper_trading paper_trade paper_mode simulated is_simulated "
        "simulation simulation_mode simulation_enabled test is_test test_mode test_order testnet "
        "use_testnet demo demo_mode sandbox mock backtest",
    ),
    (_Rule(_in_earnest), "live is_live live_trading real real_money"),
    (_Rule(_mode), "mode trading_mode execution_mode run_mode"),
    (_Rule(_side), "side order_side"),
    (_Rule(_position_side), "position_side"),
    (_Rule(_direction), "direction signal signal_type trade_type intent"),
    (_Rule(_leverage, binds_exits=False), "leverage"),
    (
        _Rule(_margin, binds_exits=False),
        "margin margin_type margin_mode isolated is_isolated cross_margin borrow auto_borrow "
        "side_effect_type",
    ),
    (_Rule(_market), "market market_type product_type instrument_type contract_type"),
    (_Rule(_exchange), "exchange venue broker"),
    (_Rule(_reduce_only), "reduce_only close_only close_position exit_only"),
    (_Rule(_type), "type ord_type"),
    (
        _Rule(_never("is not read: write 'quantity' (base units) or 'quote_quantity'")),
        "size qty order_size trade_size position_size position_pct position_size_pct size_pct "
        "notional quote_order_qty quote_size quantity_usd quantity_usdt quantity_pct amount_usd "
        "amount_usdt usd_amount usdt_amount risk_pct risk_percent risk_per_trade risk_amount "
        "capital allocation allocation_pct lots lot_size contracts equity_pct percent_of_equity "
        "max_notional max_quantity max_position_size",
    ),
    (
        _Rule(_never("is not read: write the price as 'stop_loss'"), binds_exits=False),
        "sl stop stop_loss_pct stop_loss_percent stop_loss_percentage stop_loss_bps stop_pct "
        "sl_pct sl_price stop_loss_price stop_distance",
    ),
    (
        _Rule(_never("is not read: write the price as 'take_profit'"), binds_exits=False),
        "tp target take_profit_pct take_profit_percent take_profit_percentage take_profit_bps "
        "target_pct tp_pct tp_price take_profit_price",
    ),
    (
        _Rule(_unless_no("is not read: stops do not trail, write a price as 'stop_loss'")),
        "trailing trailing_stop trailing_stop_pct trailing_pct trailing_delta trail_percent "
        "callback_rate activation_price",
    ),
    (_Rule(_never("is not read: write 'price'")), "limit_price order_price target_price"),
    (_Rule(_never("is not read: write 'stop_price'")), "trigger_price"),
    (
        _Rule(
            _unless_no("is not read: orders are market, limit, stop or take_profit types"), False
        ),
        "post_only maker_only iceberg iceberg_qty display_qty hidden twap",
    ),
    (
        _Rule(
            _never("is not read: what is older than SIGNAL_MAX_AGE_SECONDS is denied"),
            binds_exits=False,
        ),
        "good_till_date gtd expire_time expires_at expiry expiration valid_until valid_for ttl",
    ),
    (
        _Rule(_never("is not read: the account's limits say it (admin)"), binds_exits=False),
        "max_slippage max_slippage_bps max_slippage_pct slippage_tolerance",
    ),
    (
        _Rule(_never("is not read: strategies are mapped to accounts in the admin, leave it out")),
        "account account_id account_name virtual_account va va_id sub_account wallet portfolio "
        "portfolio_id",
    ),
    (
        _Rule(_never("is not read: write 'environment' or 'simulate': true")),
        "env Environment trading_environment trading_env",
    ),
)


@lru_cache(maxsize=2048)
def _plain(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).lower()


SPOKEN: Mapping[str, _Rule] = {
    _plain(word): rule for rule, words in _RULES for word in words.split()
}
_TRIAL = {_plain(word) for word in _RULES[0][1].split()}
_CLEARLY_TRIAL = {_plain(w) for w in ("dry_run", "paper_trading", "is_paper", "simulation_mode")}


def check(
    places: list[tuple[str, dict[str, Any]]], *, action: Action, order_type: str | None
) -> list[str]:
    """Return notes on words that have no meaning for this signal; raise PayloadError on others.

    `metadata` is free context: there only an unmistakable wish for a trial counts.
    """
    notes = []
    for prefix, place in places:
        for key, value in place.items():
            rule = None if value is None or key in _READ else SPOKEN.get(_plain(key))
            if rule is None:
                continue
            said = Said(f"{prefix}{key}", value, action, order_type)
            if prefix == "metadata.":
                if _plain(key) in _CLEARLY_TRIAL and not said.is_no:
                    raise PayloadError(said.path, CODE, TRIAL_FIX)
                continue
            objection = rule.read(said)
            if objection is None:
                continue
            if not said.is_entry and not rule.binds_exits:
                notes.append(f"{said.path} has no meaning for an exit: not used")
                continue
            if isinstance(objection, PayloadError):
                raise objection
            raise PayloadError(said.path, CODE, objection)
    return notes
