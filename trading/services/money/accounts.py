"""Virtual accounts: the ones made at first boot, and which one a strategy trades in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import trail
from exchanges.domain.venues import Environment, Market
from exchanges.models import VenueAccount
from foundation.statements import Select, together
from trading.domain.intents import STRATEGY_ID
from trading.models import Approval, StrategyMapping, VirtualAccount
from trading.selectors.venues_in_use import RANK, ceiling_allows
from trading.services.control import four_eyes, limits
from trading.services.control.four_eyes import Outcome

MOST_BPS = 10_000
__all__ = ["ceiling_allows"]


@dataclass(frozen=True, slots=True)
class NoAccount(Exception):
    """No virtual account may take this intent."""

    message: str

    def __str__(self) -> str:
        return self.message


def ensure_first() -> None:
    """Make the simulator account, and the one the settings name; an account for mainnet starts off.

    So does the simulator's when nothing is simulated here: no simulator runs then, and what is on
    is watched. Harmless when they exist. A person enables them afterwards.
    """
    with transaction.atomic():
        limits.ensure_first()
        if VirtualAccount.objects.exists():
            return
        wanted = {str(Environment.SIMULATOR), str(settings.VENUE_ENVIRONMENT)}
        if settings.VENUE_ENVIRONMENT == Environment.MAINNET and not (
            settings.MAINNET_TRADING_ENABLED
        ):
            wanted.discard(str(Environment.MAINNET))
        for environment in sorted(wanted):
            _create(environment, is_default=environment == settings.VENUE_ENVIRONMENT)


def _create(environment: str, *, is_default: bool) -> VirtualAccount:
    venue_account, _ = VenueAccount.objects.get_or_create(
        environment=environment, market=Market.SPOT.value, credentials=""
    )
    account = VirtualAccount.objects.create(
        name=environment,
        venue_account=venue_account,
        is_default=is_default,
        enabled=_starts_on(environment),
        default_order_type=settings.DEFAULT_ORDER_TYPE.upper(),
        trading_window=settings.TRADING_WINDOW,
    )
    trail.record(
        trail.Entry(
            kind="account.created",
            actor="first boot",
            subject_type="account",
            subject_id=str(account.pk),
            environment=environment,
            data={"name": account.name, "is_default": is_default, "enabled": account.enabled},
        )
    )
    if not settings.ONE_SYMBOL_PER_ACCOUNT_GIVEN:
        reason = "takes the signals of every strategy that is not mapped"
        wish = limits.Wish("account", account.name, "one_symbol_per_account", "off", reason)
        limits.set_first(wish, actor="first boot")
    return account


def _starts_on(environment: str) -> bool:
    if environment == Environment.SIMULATOR:
        return bool(settings.SIMULATION_ENABLED)
    return environment != Environment.MAINNET


@Select
def _mapped_account(strategy_id: str) -> QuerySet[VirtualAccount]:
    rows = VirtualAccount.objects.filter(strategies__strategy_id=strategy_id)
    return rows.select_related("venue_account").order_by()


@Select
def _default_account() -> QuerySet[VirtualAccount]:
    return VirtualAccount.objects.filter(is_default=True).select_related("venue_account").order_by()


@Select
def _simulated_account() -> QuerySet[VirtualAccount]:
    simulated = VirtualAccount.objects.filter(venue_account__environment=Environment.SIMULATOR)
    return simulated.select_related("venue_account").order_by("-is_default", "pk")[:1]


def for_intent(*, strategy_id: str = "", simulate: bool) -> VirtualAccount:
    """Return the account that takes an intent: the one its strategy is mapped to, or the default.

    `simulate` can only lower the environment: it keeps an account of the simulator, and replaces
    any other by one. Raises NoAccount when there is none.
    """
    with together():
        mapped = _mapped_account.ask(strategy_id=strategy_id)
        default = _default_account.ask()
        account = next(iter([*mapped(), *default()]), None)
    if simulate and (account is None or account.venue_account.environment != Environment.SIMULATOR):
        account = _simulated_account.first()
    if account is None:
        raise NoAccount("No virtual account takes this signal: create one in the admin.")
    return account


def map_strategy(strategy_id: str, account: VirtualAccount | None, *, actor: str) -> Outcome:
    """Have a strategy's signals trade in `account`, None for the default.

    Nothing is done when they do. What it holds elsewhere stays there, protected: only new signals
    follow the mapping. Real money waits for a second person (FOUR_EYES).
    """
    if not STRATEGY_ID.fullmatch(strategy_id):
        words = "1 to 100 letters, digits, spaces and ._:/@+-, as signals name it."
        raise ValidationError({"strategy_id": words})
    place = account or VirtualAccount.objects.filter(is_default=True).first()
    is_real = place is not None and place.venue_account.environment == Environment.MAINNET
    if not is_real or not four_eyes.is_asked_for():
        return Outcome(carry_out_mapping(strategy_id, account, actor=actor))
    with transaction.atomic():
        rows = StrategyMapping.objects.filter(strategy_id=strategy_id)
        old = rows.values_list("account_id", flat=True).first()
        if old == (account.pk if account else None):
            return Outcome(False)
        waits = four_eyes.ask(
            kind=Approval.Kind.MAP_STRATEGY,
            target=strategy_id,
            wish={"account": account.pk if account else None},
            words=f"have {strategy_id} trade real money in {place}",
            reason="",
            actor=actor,
        )
    return Outcome(False, waits)


def carry_out_mapping(strategy_id: str, account: VirtualAccount | None, *, actor: str) -> bool:
    """Map a strategy; False when it is mapped so."""
    with transaction.atomic():
        rows = StrategyMapping.objects.select_for_update(of=("self",), no_key=True)
        old = rows.select_related("account").filter(strategy_id=strategy_id).first()
        if (old.account_id if old else None) == (account.pk if account else None):
            return False
        if account is None:
            rows.filter(strategy_id=strategy_id).delete()
        else:
            values = {"account": account, "mapped_by": actor, "mapped_at": timezone.now()}
            StrategyMapping.objects.update_or_create(strategy_id=strategy_id, defaults=values)
        trail.record(
            trail.Entry(
                kind="account.strategy_mapped",
                actor=actor,
                subject_type="strategy",
                subject_id=strategy_id[:64],
                data={
                    "strategy_id": strategy_id,
                    "before": old.account.name if old else "default",
                    "after": account.name if account else "default",
                },
            )
        )
    return True


def tell_needs(strategy_id: str, *, min_spread_bps: Decimal, actor: str) -> None:
    """Note what a mapped strategy itself asks of the market, for `check_limits` to hold against.

    Raises ValidationError when it is not mapped or the figure is none.
    """
    if not min_spread_bps.is_finite() or not 0 <= min_spread_bps <= MOST_BPS:
        raise ValidationError({"min_spread_bps": f"Write 0 to {MOST_BPS} basis points."})
    with transaction.atomic():
        rows = StrategyMapping.objects.select_for_update(of=("self",), no_key=True)
        mapping = rows.filter(strategy_id=strategy_id).first()
        if mapping is None:
            raise ValidationError({"strategy_id": f"{strategy_id} is mapped to no account."})
        before, mapping.min_spread_bps = mapping.min_spread_bps, min_spread_bps
        if before == min_spread_bps:
            return
        mapping.save(update_fields=["min_spread_bps"])
        trail.record(
            trail.Entry(
                kind="account.strategy_needs",
                actor=actor,
                subject_type="strategy",
                subject_id=strategy_id[:64],
                data={
                    "strategy_id": strategy_id,
                    "min_spread_bps": {
                        "before": format(before, "f"),
                        "after": format(min_spread_bps, "f"),
                    },
                },
            )
        )


def prices_allow(prices: str, environment: str) -> bool:
    """Say whether what was said of the prices of one environment may open anything in another.

    Only downwards: real prices may be tried in the simulator, made-up ones move no money.
    """
    return prices == environment or RANK[Environment(prices)] > RANK[Environment(environment)]
