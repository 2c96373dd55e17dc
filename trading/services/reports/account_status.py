"""How each account stands: worth, losses, wins, pauses; for the desk, the API and the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from exchanges.models import Balance
from trading.domain import equity
from trading.domain.equity import Course, Worth
from trading.domain.risk.types import TradingMode
from trading.models import EquityCourse, LossStreak, Position, VirtualAccount
from trading.selectors import performance
from trading.services.control import kill_switch
from trading.services.money import ledger
from trading.services.money.equity import COURSE
from trading.services.risk import cooldowns

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """One account. Money is quote units; None is not known. Losses are percent of equity."""

    id: int
    name: str
    environment: str
    quote_asset: str
    enabled: bool
    status: str  # active, cooldown, off, or the strictest level of the kill switch
    status_reason: str
    has_ledger: bool
    equity: Decimal | None
    cash: Decimal | None
    profit: Decimal | None  # realised and open, net of fees
    realised: Decimal
    unrealised: Decimal | None
    fees: Decimal
    daily_loss_pct: Decimal | None
    weekly_loss_pct: Decimal | None
    drawdown_pct: Decimal | None
    high_water: Decimal | None
    open_positions: int
    trades: int
    wins: int
    losses: int
    streak: int
    max_drawdown: Decimal  # of closed trades
    cooldown_until: datetime | None
    seen_at: datetime | None


def of_accounts(accounts: Iterable[VirtualAccount] | None = None) -> list[Standing]:
    """Return how accounts stand as of the watch's last look, the default one first."""
    if accounts is None:
        rows = VirtualAccount.objects.select_related("venue_account")
        accounts = rows.order_by("-is_default", "name")
    accounts = list(accounts)
    now = timezone.now()
    books: dict[int, list[Position]] = defaultdict(list)
    for position in Position.objects.order_by("symbol"):
        books[position.account_id].append(position)
    courses = {one.account_id: one for one in EquityCourse.objects.all()}
    pauses = {
        one.account_id: one.cooldown_until
        for one in cooldowns.running()
        if one.scope == LossStreak.Scope.ACCOUNT
    }
    earned = performance.by_account()
    wallets = {
        (one.venue_account_id, one.asset): one.free + one.locked for one in Balance.objects.all()
    }
    states = kill_switch.unreleased.rows()
    return [
        _standing(
            account,
            books[account.pk],
            courses.get(account.pk),
            earned.get(account.pk, performance.Performance()),
            pauses.get(account.pk),
            wallets.get((account.venue_account_id, account.quote_asset)),
            kill_switch.strictest(
                states,
                venue=account.venue_account.venue,
                account=account.name,
                strategy_id="",
                symbol="",
                now=now,
            ),
        )
        for account in accounts
    ]


def _standing(
    account: VirtualAccount,
    positions: list[Position],
    row: EquityCourse | None,
    earned: performance.Performance,
    cooldown_until: datetime | None,
    wallet: Decimal | None,
    standing: kill_switch.Standing,
) -> Standing:
    realised = sum((one.realised_pnl for one in positions), ZERO)
    worth = falls = None
    if row is not None:
        course = Course(*(getattr(row, name) for name in COURSE))
        worth = Worth(row.base + row.profit, row.profit)
        falls = equity.falls(course, worth)
    return Standing(
        id=account.pk,
        name=account.name,
        environment=account.venue_account.environment,
        quote_asset=account.quote_asset,
        enabled=account.enabled,
        status=_status(account, cooldown_until, standing),
        status_reason=standing.reason,
        has_ledger=account.capital is not None,
        equity=worth.equity if worth else None,
        cash=_cash(account, positions, row, wallet),
        profit=worth.profit if worth else None,
        realised=realised,
        unrealised=_unrealised(positions),
        fees=sum((one.fees_quote for one in positions), ZERO),
        daily_loss_pct=_shown(falls.daily) if falls else None,
        weekly_loss_pct=_shown(falls.weekly) if falls else None,
        drawdown_pct=_shown(falls.drawdown) if falls else None,
        high_water=row.base + row.high_profit if row else None,
        open_positions=sum(one.is_open and not one.is_dust for one in positions),
        trades=earned.trades,
        wins=earned.wins,
        losses=earned.losses,
        streak=earned.streak,
        max_drawdown=earned.drawdown,
        cooldown_until=cooldown_until,
        seen_at=row.seen_at if row else None,
    )


def _cash(
    account: VirtualAccount,
    positions: list[Position],
    row: EquityCourse | None,
    wallet: Decimal | None,
) -> Decimal | None:
    """Return its own money, or its part of the wallet: what no ledger calls its own."""
    if account.capital is not None:
        return ledger.cash(account, positions)
    return ledger.cash_on(row.base, positions) if row else wallet


def _unrealised(positions: list[Position]) -> Decimal | None:
    """Return open profit at the last marks; None when one is missing."""
    total = ZERO
    for one in positions:
        if one.quantity and not (one.mark_price is None and one.is_dust):
            if one.mark_price is None:
                return None
            total += one.quantity * (one.mark_price - one.average_entry_price)
    return total


def _status(
    account: VirtualAccount, cooldown_until: datetime | None, standing: kill_switch.Standing
) -> str:
    if not account.enabled:
        return "off"
    if standing.mode is not TradingMode.ACTIVE:
        return standing.mode.value.lower()
    return "cooldown" if cooldown_until else "active"


def _shown(percent: Decimal) -> Decimal:
    return percent.quantize(Decimal("0.01"))
