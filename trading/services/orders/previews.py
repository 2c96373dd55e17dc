"""What an intent would come to right now: the very pipeline of a decision, and nothing stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils import timezone

from trading.domain.intents import TradeIntent
from trading.domain.risk.outlook import Outlook, outlook
from trading.domain.risk.types import OrderPlan
from trading.models import Decision
from trading.services.money import accounts
from trading.services.orders import decisions
from trading.services.risk import decision_record, market_view

UID = "preview"  # of an intent that is never decided


@dataclass(frozen=True, slots=True)
class Preview:
    """`decision` was never stored. `order` is what it comes to, also after a no as far as it was
    worked out."""

    decision: Decision
    order: OrderPlan | None
    outlook: Outlook


def look(intent: TradeIntent) -> Preview:
    """Assess an intent in the account that would take it, on the market of this moment.

    Raises accounts.NoAccount where none would. No decision, order or line of the trail is
    written, and no limit on pace counts it.
    """
    account = accounts.for_intent(strategy_id=intent.strategy_id, simulate=intent.simulate)
    view = market_view.observe(account.venue_account, intent.symbol, for_entry=intent.is_entry)
    judged = decisions.preview(intent=intent, account_id=account.pk, market=view)
    order = judged.assessment.sketch
    return Preview(judged.decision, order, outlook(order, judged.snapshot.taker_rate))


def again(decision: Decision, *, actor: str) -> Preview:
    """Look at a decided intent anew, as if it came in now. Raises what `look` does, and
    seen.NotOnRecord."""
    intent = decision_record.intent_of(decision)
    return look(replace(intent, intent_uid=UID, emitted_at=timezone.now(), actor=actor))
