"""What a person should do about a step of a stop that is not done. Pure: a step in, words out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BALANCE = (
    "The venue holds less than our books say: compare them with `manage.py tie_out`. If coins were "
    "sold or withdrawn by hand, sell what is left at the venue."
)
CREDENTIALS = (
    "The venue refused our key: check its permission to trade, its allowed addresses and "
    "BINANCE_API_KEY. Then engage the same stop again."
)
RULES = (
    "The venue's rules for this symbol refuse it (size, price or a pause in trading): look at the "
    "symbol at the venue, and sell there by hand if it cannot wait."
)
WAITING = "Nothing: the venue is asked again every few seconds. If it stays, see /health."
OTHERWISE = (
    "It is tried again, at most 5 minutes later. To try at once, engage the same stop again; if it "
    "fails still, act at the venue and compare the books with `manage.py tie_out`."
)
BY_CODE = {
    "-2010": BALANCE,
    "-2014": CREDENTIALS,
    "-2015": CREDENTIALS,
    "-1002": CREDENTIALS,
    "-1022": CREDENTIALS,
    "-1013": RULES,
    "-1100": RULES,
    "-1111": RULES,
}


def what_to_do(step: Mapping[str, Any]) -> str:
    """Return what a person should do next; empty when the step is done."""
    outcome = step.get("outcome")
    if outcome == "done":
        return ""
    if outcome == "waits":
        return WAITING
    return BY_CODE.get(str(step.get("code") or ""), OTHERWISE)
