"""Venue failures, named by what the caller must do next."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class VenueError(Exception):
    """Root. `code` is the venue's number when it gave one, `text` its words."""

    def __init__(self, text: str, *, code: int | None = None, status: int | None = None) -> None:
        self.text = text
        self.code = code
        self.status = status
        super().__init__(f"[{code}] {text}" if code is not None else text)

    @property
    def reason_code(self) -> str:
        """Return what an order row keeps: the name of a typed refusal, else the venue's number."""
        return str(self.code or "")


class Rejected(VenueError):
    """Final: the venue refused and nothing happened. Do not retry the same request."""


class _TypedRefusal(Rejected):
    """A refusal that services tell apart; only the adapter reads the venue's words."""

    NAME: ClassVar[str]
    CODE: ClassVar[int]  # the venue's number for it

    @property
    def reason_code(self) -> str:
        return self.NAME


class InsufficientBalance(_TypedRefusal):
    """Less is free at the venue than the order needs: fetch the balance, act on what is there."""

    NAME, CODE = "INSUFFICIENT_BALANCE", -2010


class WouldTrigger(_TypedRefusal):
    """The price has passed the trigger already: this stop can no longer be placed."""

    NAME, CODE = "WOULD_TRIGGER", -2010


class TooManyConditional(_TypedRefusal):
    """The venue takes no more conditional orders in this symbol: free a slot first."""

    NAME, CODE = "TOO_MANY_CONDITIONAL", -1013


class FilterFailed(_TypedRefusal):
    """Quantity, price or notional breaks a rule of the instrument: read the rules again."""

    NAME, CODE = "FILTER_FAILED", -1013


CODES_OF_TYPED_REFUSALS = {
    kind.NAME: kind.CODE
    for kind in (InsufficientBalance, WouldTrigger, TooManyConditional, FilterFailed)
}


class NotSent(VenueError):
    """Proven not executed: safe to try again later with a fresh look at the world."""


class ClockRefused(NotSent):
    """Not executed: our clock was off. It is right by now, and a new try may follow at once."""


class RateLimited(NotSent):
    """Not executed; wait `retry_after` seconds first. `scope` is 'weight', 'orders' or 'ban'."""

    def __init__(
        self,
        text: str,
        *,
        retry_after: float,
        scope: str = "weight",
        code: int | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(text, code=code, status=status)
        self.retry_after = retry_after
        self.scope = scope


class OutcomeUnknown(VenueError):
    """It may have executed. Query by client order id; never send again.

    `recv_window_ms` is the window it was sent with, `sent_at` (our clock) when it went on the
    wire: the venue starts on it no later than that.
    """

    def __init__(
        self,
        text: str,
        *,
        recv_window_ms: int | None = None,
        sent_at: datetime | None = None,
        code: int | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(text, code=code, status=status)
        self.recv_window_ms = recv_window_ms
        self.sent_at = sent_at


class CredentialsRefused(VenueError):
    """Key, signature or permission refused: halt and alarm."""


class OrderNotFound(VenueError):
    """A query found nothing. Right after a write this is no proof of absence."""


class StreamGap(VenueError):
    """The user stream broke: news may be missing until REST has been asked."""
