"""What a failed spot call means for the caller: the venue's status and code to our errors.

Rows follow the public spot error list; the same numbers mean other things on other markets.
The rule behind every row: say `Rejected` or `NotSent` only when nothing can have happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from exchanges.domain import errors

UNKNOWN_OUTCOME = {
    -1001: "disconnected before an answer",
    -1006: "unexpected answer on the venue's bus",
    -1007: "the venue timed out",
}
NOT_EXECUTED = {
    -1008: "server busy",
    -1016: "service shutting down",
    -1021: "timestamp outside of the window",
    -1034: "too many new connections",
}
CREDENTIALS = {
    -1002: "not authorised",
    -1022: "signature refused",
    -2014: "malformed key",
    -2015: "key, address or permission refused",
}
NOT_FOUND = {-2013: "no such order", -2018: "no such order list", -2026: "order archived"}
TOO_MANY_REQUESTS, TOO_MANY_ORDERS, UNKNOWN = -1003, -1015, -1000
CLOCK_REFUSED = -1021

# The first row that fits: the words of a filter come before the empty ones, which fit them all.
REFUSALS: tuple[tuple[int, str, type[errors.Rejected]], ...] = (
    (-2010, "insufficient balance", errors.InsufficientBalance),
    (-2010, "trigger immediately", errors.WouldTrigger),
    (-2010, "immediately trigger", errors.WouldTrigger),
    (-1013, "max_num_algo_orders", errors.TooManyConditional),
    (-1013, "", errors.FilterFailed),
)

DEFAULT_WAITS = {"weight": 30.0, "ban": 120.0, "blocked": 5.0}
ORDER_WINDOW_SECONDS = 10.0
BANNED_UNTIL = re.compile(r"banned until (\d{13})")


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, as far as its meaning goes."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """Return the decoded body; an empty one is {}. Raise ValueError when it is no JSON."""
        return orjson.loads(self.body) if self.body else {}

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def code_and_text(self) -> tuple[int | None, str]:
        """Return the venue's code and words; (None, start of the body) when it gave none.

        Error bodies may be HTML or even a JSON list, on which python-binance itself stumbles.
        """
        try:
            body = self.json()
        except ValueError:
            body = None
        if isinstance(body, dict) and isinstance(body.get("code"), int):
            return body["code"], str(body.get("msg", ""))
        return None, self.body[:200].decode("utf-8", "replace")


def on_write(reply: Reply) -> errors.VenueError:
    """Name what a failed write means; whatever is not proven is `OutcomeUnknown`."""
    code, text = reply.code_and_text
    known = _limits_and_keys(reply, code, text)
    if known is not None:
        return known
    tag = {"code": code, "status": reply.status}
    if code in NOT_EXECUTED:
        return errors.NotSent(text, **tag)
    proven = code is not None and 400 <= reply.status < 500 and reply.status != 408
    if code == UNKNOWN and "unknown" in text.lower():
        proven = False
    if not proven or code in UNKNOWN_OUTCOME:
        return errors.OutcomeUnknown(text or f"HTTP {reply.status}", code=code, status=reply.status)
    return refusal(text, code=code, status=reply.status)


def refusal(text: str, *, code: int | None, status: int | None = None) -> errors.Rejected:
    """Name a final refusal by its code and words, as narrowly as they allow."""
    for number, words, kind in REFUSALS:
        if code == number and words in text.lower():
            return kind(text, code=code, status=status)
    return errors.Rejected(text, code=code, status=status)


def on_read(reply: Reply) -> errors.VenueError:
    """Name what a failed read means; a read changes nothing, so it can always be asked again."""
    code, text = reply.code_and_text
    known = _limits_and_keys(reply, code, text)
    if known is not None:
        return known
    tag = {"code": code, "status": reply.status}
    if reply.status == 403 and code is None:  # the venue's web firewall: asking on makes it worse
        return errors.RateLimited(
            text, retry_after=DEFAULT_WAITS["blocked"], scope="ban", status=403
        )
    if code in NOT_FOUND:
        return errors.OrderNotFound(text, **tag)
    worth_another = code is None or code in NOT_EXECUTED or code in UNKNOWN_OUTCOME
    if worth_another or code == UNKNOWN or reply.status >= 500:
        return errors.NotSent(text or f"HTTP {reply.status}", **tag)
    return errors.Rejected(text, **tag)


def _limits_and_keys(reply: Reply, code: int | None, text: str) -> errors.VenueError | None:
    scope = _limit_scope(reply.status, code)
    if scope is not None:
        wait = retry_after(reply, scope)
        return errors.RateLimited(
            text, retry_after=wait, scope=scope, code=code, status=reply.status
        )
    if code in CREDENTIALS or reply.status == 401:
        return errors.CredentialsRefused(text, code=code, status=reply.status)
    return None


def _limit_scope(status: int, code: int | None) -> str | None:
    if code == TOO_MANY_ORDERS:
        return "orders"
    if status == 418:
        return "ban"
    if code == TOO_MANY_REQUESTS or (status == 429 and code not in NOT_EXECUTED):
        return "weight"
    return None


def retry_after(reply: Reply, scope: str) -> float:
    """Return the seconds to wait: the header, else the end of a ban in the text, else a habit."""
    header = reply.headers.get("Retry-After", "")
    if header.isdecimal():
        return float(header)
    banned = BANNED_UNTIL.search(reply.code_and_text[1])
    if banned:
        until = int(banned[1]) / 1000
        return max(1.0, until - datetime.now(UTC).timestamp())
    if scope == "orders":  # the venue counts in windows that begin at whole tens of seconds
        return ORDER_WINDOW_SECONDS - datetime.now(UTC).timestamp() % ORDER_WINDOW_SECONDS + 0.1
    return DEFAULT_WAITS[scope]
