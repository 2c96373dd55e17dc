"""Venue failures, named by what the caller must do next."""

from __future__ import annotations


class VenueError(Exception):
    """Root. `code` is the venue's number when it gave one, `text` its words."""

    def __init__(self, text: str, *, code: int | None = None, status: int | None = None) -> None:
        self.text = text
        self.code = code
        self.status = status
        super().__init__(f"[{code}] {text}" if code is not None else text)


class Rejected(VenueError):
    """Final: the venue refused and nothing happened. Do not retry the same request."""


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
    """It may have executed. Query by client order id; never send again."""


class CredentialsRefused(VenueError):
    """Key, signature or permission refused: halt and alarm."""


class OrderNotFound(VenueError):
    """A query found nothing. Right after a write this is no proof of absence."""


class StreamGap(VenueError):
    """The user stream broke: news may be missing until REST has been asked."""
