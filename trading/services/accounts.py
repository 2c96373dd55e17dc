"""Virtual accounts: the ones made at first boot, and which one a strategy trades in."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit import trail
from audit.statements import Select
from exchanges.models import Environment, VenueAccount
from trading.models import VirtualAccount

# How much is at stake, from nothing to real money. A signal or an account may sit lower than the
# configured ceiling, never higher.
RANK = {
    Environment.SIMULATOR: 0,
    Environment.TESTNET: 1,
    Environment.DEMO: 1,
    Environment.MAINNET: 2,
}


@dataclass(frozen=True, slots=True)
class NoAccount(Exception):
    """No virtual account may take this intent."""

    message: str

    def __str__(self) -> str:
        return self.message


def ensure_first() -> None:
    """Make the simulator account, and the one the settings name; an account for mainnet starts off.

    Harmless when they exist. Real money needs a person to enable its account afterwards.
    """
    with transaction.atomic():
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
    venue_account, _ = VenueAccount.objects.get_or_create(environment=environment)
    account = VirtualAccount.objects.create(
        name=environment,
        venue_account=venue_account,
        is_default=is_default,
        enabled=environment != Environment.MAINNET,
        position_pct=settings.POSITION_PCT,
        default_quote_amount=settings.DEFAULT_BASE_AMOUNT,
        min_confidence=settings.MIN_CONFIDENCE,
        max_open_positions=settings.MAX_OPEN_POSITIONS,
        max_position_notional=settings.MAX_POSITION_NOTIONAL,
        stop_loss_pct=settings.STOP_LOSS_DEFAULT,
        take_profit_pct=settings.TAKE_PROFIT_DEFAULT,
        default_order_type=settings.DEFAULT_ORDER_TYPE.upper(),
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
    return account


@Select
def _default_account() -> QuerySet[VirtualAccount]:
    return VirtualAccount.objects.filter(is_default=True).select_related("venue_account").order_by()


@Select
def _simulated_account() -> QuerySet[VirtualAccount]:
    simulated = VirtualAccount.objects.filter(venue_account__environment=Environment.SIMULATOR)
    return simulated.select_related("venue_account").order_by("-is_default", "pk")[:1]


def for_intent(*, simulate: bool) -> VirtualAccount:
    """Return the account that takes an intent. `simulate` can only lower the environment."""
    account = _simulated_account.first() if simulate else _default_account.first()
    if account is None:
        raise NoAccount("No virtual account takes this signal: create one in the admin.")
    return account


def ceiling_allows(environment: str) -> bool:
    """Say whether the configuration lets anything trade in `environment`."""
    if environment == Environment.MAINNET and not settings.MAINNET_TRADING_ENABLED:
        return False
    return RANK[Environment(environment)] <= RANK[Environment(settings.VENUE_ENVIRONMENT)]
