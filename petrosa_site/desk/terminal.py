"""The desk in a terminal: the same books as the page, drawn with Rich.

Names come from senders: they are put in as `Text`, which knows no markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]
UNKNOWN = "–"
STATUS_STYLES = {"active": "green", "cooldown": "yellow", "off": "dim", "reduce_only": "yellow"}
MODE_STYLES = {"ACTIVE": "bold green", "REDUCE_ONLY": "bold yellow"}


@dataclass(frozen=True, slots=True)
class Footer:
    """What stands at the bottom: the configuration, and thresholds of the default account."""

    configuration: tuple[tuple[str, str], ...]
    thresholds: tuple[tuple[str, str], ...]


def draw(books: Json, footer: Footer) -> RenderableType:
    """Draw the whole screen."""
    return Group(
        Panel(_accounts(books["accounts"], books["at"]), title="Virtual accounts"),
        Panel(_positions(books["positions"]), title="Positions"),
        Panel(_footer(books, footer), title="Control"),
    )


def _accounts(accounts: Iterable[Json], now: datetime) -> Table:
    table = _table(
        "account", "environment", "balance", "equity", "P&L", "today", "from best", "won/lost",
        "max drawdown", "positions", "status",
    )  # fmt: skip
    for one in accounts:
        table.add_row(
            Text(one["name"], style="bold"),
            Text(one["environment"]),
            _money(one["own_cash"] if one["own_cash"] is not None else _free(one)),
            _money(one["equity"]),
            _gain(_sum(one["realised"], one["unrealised"])),
            _percent(one["daily_loss_pct"]),
            _percent(one["drawdown_pct"]),
            Text(f"{one['wins']}/{one['losses']}"),
            _money(one["max_drawdown"]),
            Text(f"{one['open_positions']}/{one['max_open_positions']}"),
            _status(one, now),
        )
    return table


def _status(account: Json, now: datetime) -> Text:
    word = account["status"]
    text = Text(word.replace("_", " "), style=STATUS_STYLES.get(word, "bold red"))
    until = account["cooldown_until"]
    if until is not None and until > now:
        left = int((until - now).total_seconds()) + 1
        text.append(f" {left // 60}:{left % 60:02d}", style="yellow")
    return text


def _positions(positions: list[Json]) -> RenderableType:
    if not positions:
        return Text("Nothing is held.", style="dim")
    table = _table(
        "account", "symbol", "quantity", "entry", "price", "age", "unrealised", "stop", "target",
        "protection",
    )  # fmt: skip
    for one in positions:
        table.add_row(
            Text(one["account"]),
            Text(one["symbol"], style="bold"),
            Text(one["quantity"]),
            _price(one["entry"]),
            _price(one["mark"]),
            _age(one["mark_at"]),
            _gain(one["unrealised"]),
            _price(one["stop"]),
            _price(one["target"]),
            _protection(one),
        )
    return table


def _protection(position: Json) -> Text:
    if position["alarm"]:
        return Text(position["alarm"], style="bold red")
    if position["is_dust"]:
        return Text("too small", style="dim")
    if position["naked_since"] is not None:
        return Text("being placed", style="yellow")
    return Text("in place", style="green")


def _footer(books: Json, footer: Footer) -> Group:
    trading = books["trading"]
    mode = trading["mode"]
    switch = Text("Kill switch ").append(
        mode.replace("_", " "), style=MODE_STYLES.get(mode, "bold red")
    )
    if trading["reason"]:
        switch.append(f"  {trading['reason']}")
    for state in trading["states"]:
        place = f"{state['scope']} {state['key']}".strip()
        switch.append(f"\n  {state['mode']} {place}: {state['reason']} ({state['by']})")
    return Group(
        switch,
        _pairs("Configuration", footer.configuration),
        _pairs("Thresholds", footer.thresholds),
        Text(f"As of {books['at']:%H:%M:%S} UTC", style="dim"),
    )


def _pairs(title: str, pairs: Iterable[tuple[str, str]]) -> Text:
    text = Text(f"{title}  ", style="dim")
    for name, value in pairs:
        text.append(f"{name} ", style="dim").append(f"{value}   ", style="default not dim")
    return text


def _table(*columns: str) -> Table:
    table = Table(expand=True, box=None, pad_edge=False)
    for column in columns:
        is_word = column in ("account", "environment", "symbol", "status", "protection")
        table.add_column(column, justify="left" if is_word else "right", header_style="dim")
    return table


def _free(account: Json) -> str | None:
    wanted = account["quote_asset"]
    return next((b["free"] for b in account["balances"] if b["asset"] == wanted), None)


def _sum(*figures: str | None) -> str | None:
    known = [Decimal(figure) for figure in figures if figure is not None]
    return format(sum(known, Decimal(0)), "f") if known else None


def _money(figure: str | None) -> Text:
    return Text(UNKNOWN if figure is None else f"{Decimal(figure):,.2f}")


def _gain(figure: str | None) -> Text:
    if figure is None:
        return Text(UNKNOWN)
    value = Decimal(figure)
    style = "green" if value > 0 else "red" if value < 0 else ""
    return Text(f"{value:+,.2f}", style=style)


def _percent(figure: str | None) -> Text:
    if figure is None:
        return Text(UNKNOWN)
    return Text(f"{Decimal(figure):.2f} %", style="red" if Decimal(figure) else "")


def _price(figure: str | None) -> Text:
    return Text(UNKNOWN if figure is None else f"{Decimal(figure):,f}")


def _age(at: datetime | None) -> Text:
    if at is None:
        return Text(UNKNOWN)
    seconds = (datetime.now(at.tzinfo) - at).total_seconds()
    return Text(f"{seconds:.1f} s", style="yellow" if seconds > 15 else "")
