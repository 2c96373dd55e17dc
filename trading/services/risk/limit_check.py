"""Finding what can never trade: limits and settings that contradict each other, with the fix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from django.utils import timezone

from exchanges import catalogue
from exchanges.domain.instruments import Instrument
from exchanges.models import Balance, InstrumentRow
from trading.domain.risk.limit_book import Effective, Scope, word
from trading.domain.risk.types import SizingModel, TradingMode
from trading.models import ClosedTrade, Limit, StrategyMapping, VirtualAccount
from trading.services.control import kill_switch, limits
from trading.services.money import accounts
from trading.services.risk import strategy_requirements
from trading.services.risk.strategy_requirements import Need

MOST_SYMBOLS_NAMED = 5
SIZED_BY = {
    SizingModel.PERCENT_OF_BALANCE: "position_pct",
    SizingModel.PERCENT_OF_EQUITY: "position_pct",
    SizingModel.FIXED_QUOTE: "default_quote_amount",
    SizingModel.FIXED_BASE: "default_base_quantity",
    SizingModel.RISK_TO_STOP: "risk_per_trade",
    SizingModel.FRACTIONAL_KELLY: "kelly_fraction",
}
NOTHING = Need(Decimal(0))
Line = tuple[str, str, bool]  # problem, fix, whether nothing passes


@dataclass(frozen=True, slots=True)
class Finding:
    """Why entries of `strategy_id` (empty: of every strategy) in an account never pass.

    `blocks` is False where it is so today only, or for some symbols only.
    """

    account: str
    strategy_id: str
    problem: str
    fix: str
    blocks: bool = True


def run() -> list[Finding]:
    """Check every account and every strategy that trades in it. VenueError escapes: a venue whose
    filters are not known cannot be checked against."""
    found: list[Finding] = []
    for account in VirtualAccount.objects.select_related("venue_account").order_by("name"):
        symbols = _symbols(account)
        for strategy_id, need in ("", NOTHING), *_needs(account).items():
            for one in _check(account, strategy_id, symbols, need):
                if one not in found and _as_any(one) not in found:
                    found.append(one)
    return [*found, *_strange_symbols()]


def _needs(account: VirtualAccount) -> dict[str, Need]:
    """Return what the strategies of an account ask of the market: those that are mapped to it, and
    in the default one those of ours that are mapped nowhere."""
    told = strategy_requirements.told()
    rows = StrategyMapping.objects.filter(account=account)
    found = {
        strategy_id: max(told.get(strategy_id, NOTHING), Need(least), key=_spread_of)
        for strategy_id, least in rows.values_list("strategy_id", "min_spread_bps")
    }
    if account.is_default:
        mapped = set(StrategyMapping.objects.values_list("strategy_id", flat=True))
        found |= {name: need for name, need in told.items() if name not in mapped}
    return found


def _spread_of(need: Need) -> Decimal:
    return need.min_spread_bps


def _strange_symbols() -> Iterator[Finding]:
    """Limits set for a symbol no venue lists bound nothing: most likely a slip of the pen."""
    if not InstrumentRow.objects.exists():
        return
    rows = Limit.objects.filter(scope=Scope.SYMBOL).order_by("key", "name")
    for key in dict.fromkeys(rows.values_list("key", flat=True)):
        if not InstrumentRow.objects.filter(symbol=key).exists():
            problem = f"limits are set for symbol {key}, which no venue lists"
            yield Finding("every account", "", problem, f"unset them, or set {key} right", False)


def _as_any(found: Finding) -> Finding:
    """The same finding about every strategy: no need to repeat it for one of them."""
    return Finding(found.account, "", found.problem, found.fix, found.blocks)


def _symbols(account: VirtualAccount) -> dict[str, Instrument | None]:
    """Return the instruments the account may trade; None for one its venue does not list."""
    venue = account.venue_account.venue
    if account.allowed_symbols:
        return {name: catalogue.get(venue, name) for name in account.allowed_symbols}
    listed = catalogue.every(venue, quote_asset=account.quote_asset)
    return {one.symbol: one for one in listed if one.is_trading}


def _check(
    account: VirtualAccount,
    strategy_id: str,
    symbols: dict[str, Instrument | None],
    need: Need,
) -> Iterator[Finding]:
    held = limits.effective(account, strategy_id=strategy_id)
    for problem, fix, blocks in (
        *_standing(account, strategy_id),
        *_counts(held),
        *_ladder(held),
        *_sample(account, strategy_id, held),
        *_spread(strategy_id, held, need),
        *_sizes(account, held, symbols),
        *_names(symbols),
    ):
        yield Finding(account.name, strategy_id, problem, fix, blocks)


def _standing(account: VirtualAccount, strategy_id: str) -> Iterator[Line]:
    venue = account.venue_account.venue
    if not account.enabled:
        yield "the account is switched off", f"accounts edit {account.name} --enabled on", True
    if not accounts.ceiling_allows(venue.environment):
        yield (
            f"the configuration does not allow {venue.environment}",
            "see Steps to real money",
            True,
        )
    if account.venue_account.can_trade is False:
        yield "the venue lets the account not trade", "ask the venue", True
    standing = kill_switch.standing(
        venue=venue,
        account=account.name,
        strategy_id=strategy_id,
        symbol="",
        now=timezone.now(),
    )
    if standing.mode is not TradingMode.ACTIVE:
        yield f"trading is {standing.mode}: {standing.reason}", "release the kill switch", False


def _counts(held: dict[str, Effective]) -> Iterator[Line]:
    if not held["max_open_positions"].value:
        yield _of(held, "max_open_positions"), "set max_open_positions to 1 or more", True
    if held["min_confidence"].value == 1:
        fix = "set min_confidence below 1"
        yield f"{_of(held, 'min_confidence')}: only certainty passes", fix, False
    widest = held["max_stop_loss_pct"].value
    if widest and held["stop_loss_pct"].value > widest:
        told = f"{_of(held, 'stop_loss_pct')}, wider than {_of(held, 'max_stop_loss_pct')}"
        fix = "lower stop_loss_pct or raise max_stop_loss_pct"
        yield f"{told}: an entry with the default stop is denied", fix, False


def _ladder(held: dict[str, Effective]) -> Iterator[Line]:
    """A milder step of a loss that comes after a stricter one never comes."""
    for loss in ("daily_loss", "weekly_loss", "drawdown"):
        steps = [f"{loss}_{step}_pct" for step in ("warn", "reduce", "flatten")]
        taken = [name for name in steps if held[name].value]
        for milder, stricter in pairwise(taken):
            if held[milder].value > held[stricter].value:
                problem = f"{_of(held, milder)} comes after {_of(held, stricter)}"
                yield problem, f"set {milder} to less than {stricter}", False


def _sample(
    account: VirtualAccount, strategy_id: str, held: dict[str, Effective]
) -> Iterator[Line]:
    """A strategy sized by its own past needs one, and gets none while its entries are denied."""
    if account.sizing_model != SizingModel.FRACTIONAL_KELLY or not strategy_id:
        return
    trades = ClosedTrade.objects.filter(account=account, strategy_id=strategy_id).count()
    least = int(held["kelly_min_trades"].value)
    if trades < least:
        yield (
            f"it has {trades} closed trades and {_of(held, 'kelly_min_trades')}: an entry without"
            " a size of its own is denied",
            "have signals name their size, or another sizing model, until there are enough",
            False,
        )


def _spread(strategy_id: str, held: dict[str, Effective], need: Need) -> Iterator[Line]:
    """Hold the spread a strategy signals from against the one its entries are denied from."""
    most, least = Decimal(held["max_spread_bps"].value), need.min_spread_bps
    if least and most and least >= most:
        yield (
            f"it signals from a spread of {word(least)} basis points on, and "
            f"{_of(held, 'max_spread_bps')}: what it asks for is denied",
            f"set max_spread_bps above {word(least)} for strategy {strategy_id}, or "
            + (need.how or "have the strategy signal from a narrower spread on"),
            True,
        )


def _sizes(
    account: VirtualAccount,
    held: dict[str, Effective],
    symbols: dict[str, Instrument | None],
) -> Iterator[Line]:
    """Compare what one entry may cost with the least the venue takes."""
    least = {s: i.min_notional for s, i in symbols.items() if i and i.min_notional}
    if not least:
        return
    cap = Decimal(held["max_position_notional"].value)
    if cap:
        too_much = sorted(s for s, notional in least.items() if notional > cap)
        if too_much:
            yield (
                f"{_of(held, 'max_position_notional')} is below the least order of "
                f"{_some(too_much)}",
                f"set max_position_notional to {word(max(least.values()))} or more",
                len(too_much) == len(least),
            )
    name, size = _default_size(account, held)
    if not held[name].value:
        fix = f"set {name}, or have signals name their size"
        yield f"{_of(held, name)}: an entry without a size of its own is denied", fix, False
        return
    if size is None:
        return
    too_much = sorted(s for s, notional in least.items() if notional > size)
    if too_much:
        yield (
            f"an entry without a size of its own costs {word(size)} at most ({_of(held, name)}),"
            f" less than the least order of {_some(too_much)}",
            f"raise {name}, or have signals name their size",
            False,
        )


def _default_size(
    account: VirtualAccount, held: dict[str, Effective]
) -> tuple[str, Decimal | None]:
    """Return the limit that sizes an entry whose signal names no size, and the most that costs
    in quote units where no price, equity or past is needed to tell."""
    name = SIZED_BY[SizingModel(account.sizing_model)]
    if account.sizing_model == SizingModel.FIXED_QUOTE:
        return name, Decimal(held[name].value)
    if account.sizing_model != SizingModel.PERCENT_OF_BALANCE:
        return name, None
    rows = Balance.objects.filter(venue_account=account.venue_account, asset=account.quote_asset)
    free = rows.values_list("free", flat=True).first()
    return name, None if free is None else free * Decimal(held[name].value)


def _names(symbols: dict[str, Instrument | None]) -> Iterator[Line]:
    unknown = sorted(name for name, instrument in symbols.items() if instrument is None)
    if unknown:
        yield (
            f"its venue does not list {_some(unknown)}",
            "take them out of the allowed symbols",
            len(unknown) == len(symbols),
        )
    closed = sorted(n for n, i in symbols.items() if i is not None and not i.is_trading)
    if closed:
        yield f"{_some(closed)} are not trading", "nothing to do but wait", False


def _of(held: dict[str, Effective], name: str) -> str:
    one = held[name]
    return f"{name} is {word(one.value)} ({one.source})"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_SYMBOLS_NAMED])
    more = len(names) - MOST_SYMBOLS_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
