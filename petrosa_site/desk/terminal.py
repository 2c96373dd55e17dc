"""The desk in a terminal: the same books as the page, drawn with Rich.

Names come from senders: they are put in as `Text`, which knows no markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Group, JustifyMethod, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]
UNKNOWN = "–"
ROOMY = 110
WORDS = ("account", "environment", "symbol", "status", "protection")
STATUS_STYLES = {"active": "green", "cooldown": "yellow", "off": "dim", "reduce_only": "yellow"}
COVER_WORDS = {"dust": "too small", "placing": "being placed"}
COVER_STYLES = {
    "flat": "dim",
    "dust": "dim",
    "protected": "green",
    "guarded": "cyan",
    "placing": "yellow",
    "no stop level": "yellow",
}
MODE_STYLES = {"ACTIVE": "bold green", "REDUCE_ONLY": "bold yellow"}


@dataclass(frozen=True, slots=True)
class Footer:
    """What stands at the bottom: the configuration, and thresholds of the default account."""

    configuration: tuple[tuple[str, str], ...]
    thresholds: tuple[tuple[str, str], ...]


def draw(books: Json, footer: Footer, *, width: int) -> RenderableType:
    """Draw the whole screen; one narrower than ROOMY leaves out what can be done without."""
    is_narrow = width < ROOMY
    return Group(
        Panel(_accounts(books["accounts"], books["at"], is_narrow), title="Virtual accounts"),
        Panel(_positions(books["positions"], is_narrow), title="Positions"),
        Panel(_footer(books, footer), title="Control"),
    )


def _accounts(accounts: Iterable[Json], now: datetime, is_narrow: bool) -> Table:
    rows = [
        {
            "account": Text(one["name"], style="bold"),
            "environment": Text(one["environment"]),
            "balance": _money(one["free"] if one["own_cash"] is None else one["own_cash"]),
            "equity": _money(one["equity"]),
            "P&L": _gain(_sum(one["realised"], one["unrealised"])),
            "today": _percent(one["daily_loss_pct"]),
            "from best": _percent(one["drawdown_pct"]),
            "won/lost": Text(f"{one['wins']}/{one['losses']}"),
            "max drawdown": _money(one["max_drawdown"]),
            "positions": Text(f"{one['open_positions']}/{one['max_open_positions']}"),
            "status": _status(one, now),
        }
        for one in accounts
    ]
    return _table(rows, without=("environment", "from best", "positions") if is_narrow else ())


def _status(account: Json, now: datetime) -> Text:
    word = account["status"]
    text = Text(word.replace("_", " "), style=STATUS_STYLES.get(word, "bold red"))
    until = account["cooldown_until"]
    if until is not None and until > now:
        left = int((until - now).total_seconds()) + 1
        text.append(f" {left // 60}:{left % 60:02d}", style="yellow")
    return text


def _positions(positions: list[Json], is_narrow: bool) -> RenderableType:
    if not positions:
        return Text("Nothing is held.", style="dim")
    rows = [
        {
            "account": Text(one["account"]),
            "symbol": Text(one["symbol"], style="bold"),
            "quantity": Text(one["quantity"]),
            "entry": _price(one["entry"]),
            "price": _price(one["mark"]),
            "age": _age(one["mark_at"]),
            "unrealised": _gain(one["unrealised"]),
            "stop": _price(one["stop"]),
            "target": _price(one["target"]),
            "protection": _protection(one),
        }
        for one in positions
    ]
    table = _table(rows, without=("age", "target") if is_narrow else ())
    return Group(table, *filter(None, map(_sentences, positions)))


def _sentences(position: Json) -> Text | None:
    """Say what is not as it should be, or how it is held: the table has no room for it."""
    if position["cover"] == "protected" and not (position["alarm"] or position["shortfall"]):
        return None
    said = Text(f"{position['symbol']}  ", style="bold")
    if position["alarm"]:
        said.append(f"{position['alarm']}. ", style="bold red")
    said.append(" ".join(position["cover_lines"]), style="default not bold")
    return said if position["alarm"] or position["cover_lines"] else None


def _protection(position: Json) -> Text:
    word = position["cover"]
    if position["shortfall"]:
        return Text("shortfall", style="bold red")
    return Text(COVER_WORDS.get(word, str(word)), style=COVER_STYLES.get(word, "bold red"))


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


def _table(rows: list[dict[str, Text]], *, without: tuple[str, ...]) -> Table:
    """Lay rows of one shape out; their keys are the columns."""
    table = Table(expand=True, box=None, pad_edge=False)
    columns = [name for name in (rows[0] if rows else ()) if name not in without]
    for name in columns:
        justify: JustifyMethod = "left" if name in WORDS else "right"
        table.add_column(name, justify=justify, header_style="dim", overflow="fold")
    for row in rows:
        table.add_row(*(row[name] for name in columns))
    return table


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
