"""Print the configuration in force: what runs, its defaults, and every account's limits.

    PETROSA_TOKEN=... python examples/constants_usage.py

Environment variables give first values only; the limits that count live in the database and are
what this prints, as the API tells them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from api_client import arguments, call

SETTINGS = ("enabled", "sizing_model", "default_order_type", "allowed_symbols", "strategies")


def flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ('signals.max_age_seconds', 60) for nested answers."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def section(title: str, rows: list[tuple[str, Any]]) -> None:
    print(f"\n{title}")
    for name, value in rows:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        print(f"  {name:<26}{shown}")


def asked(options: Any, path: str) -> Any:
    status, answer = call(options, "GET", path)
    if status != 200:
        sys.exit(f"{path}: HTTP {status} {answer.get('detail', '')}")
    return answer


def main() -> None:
    options = arguments(__doc__ or "")
    section("What runs", list(flat(asked(options, "/info"))))
    for account in asked(options, "/api/v1/accounts/")["results"]:
        section(f"Account {account['name']}", [(name, account[name]) for name in SETTINGS])
        section(f"Limits of account {account['name']}", list(account["limits"].items()))


if __name__ == "__main__":
    main()
