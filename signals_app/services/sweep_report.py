"""What a sweep came to, as one JSON document and as tables in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from signals_app.backtest import metrics
from signals_app.models import BacktestSweep

MOST_SHOWN = 10
Json = dict[str, Any]


def document(sweep: BacktestSweep) -> Json:
    """Return a sweep that is done with its trials, the best first."""
    rows = [
        {"number": one.number, "params": one.params, **(one.result or {}).get("whole", {})}
        for one in sweep.trials.exclude(result=None).order_by("number")
    ]
    rows.sort(key=_order, reverse=True)
    return {"id": sweep.pk, "wish": sweep.wish, "results": sweep.results, "trials": rows}


def show(told: Json, console: Console) -> None:
    """Print what was chosen and what came of it, the best trials, and the warning of luck."""
    results = told["results"]
    chosen = _table("Window", "Chosen", "Sharpe in sample", "Out of sample", "Return after")
    for number, one in enumerate(results["chosen"], start=1):
        chosen.add_row(str(number), *(_chosen(one) if one else ("nothing traded", "", "", "")))
    console.print(chosen)
    trials = _table("Trial", "Parameters", "Sharpe", "Return", "Drawdown", "Trades")
    for row in told["trials"][:MOST_SHOWN]:
        figures = (
            metrics.figure(row.get("sharpe")),
            metrics.percent(row.get("total_return")),
            metrics.percent(row.get("max_drawdown")),
        )
        trials.add_row(str(row["number"]), words(row["params"]), *figures, str(row.get("trades")))
    console.print(trials)
    console.print(
        f"{len(told['trials']):,} trials, out of sample "
        f"{metrics.percent(results['out_of_sample_return'])}",
        markup=False,
    )
    if results["warning"]:
        console.print(f"WARNING: {results['warning']}", style="bold yellow", markup=False)


def words(params: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in params.items())


def _table(*headings: str) -> Table:
    table = Table(*headings)
    for column in table.columns[2:]:
        column.justify = "right"
    return table


def _chosen(one: Json) -> tuple[str, str, str, str]:
    return (
        words(one["params"]),
        metrics.figure(one["in"]["sharpe"]),
        metrics.figure(one["out"]["sharpe"]),
        metrics.percent(one["out"]["total_return"]),
    )


def _order(row: Json) -> float:
    sharpe = row.get("sharpe")
    return float("-inf") if sharpe is None else float(sharpe)
