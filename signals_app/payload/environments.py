"""Whose prices a signal was made of, as senders spell it."""

from __future__ import annotations

import re
from typing import Any

NAMES = ("simulator", "testnet", "demo", "mainnet")
SPELLINGS = {
    **{name: name for name in NAMES},
    **dict.fromkeys(("sim", "simulation", "simulated", "paper", "papertrading"), "simulator"),
    **dict.fromkeys(("test", "sandbox"), "testnet"),
    "demotrading": "demo",
    **dict.fromkeys(("main", "live", "real", "prod", "production"), "mainnet"),
}


def read(value: Any) -> str | None:
    """Return one of NAMES, "" for nothing said, None for a word that is none of ours."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return None
    word = re.sub(r"[\s_-]", "", value).lower()
    return SPELLINGS.get(word) if word else ""
