"""Write the table of technical strategies into its page: `python -m tests.strategy_table`."""

from __future__ import annotations

from pathlib import Path

from signals_app.strategies.spec import Param, StrategySpec
from signals_app.strategies.technical import STRATEGIES

PAGE = Path(__file__).resolve().parents[1] / "docs/technical-strategies.md"
START, END = "<!-- table: python -m tests.strategy_table -->\n", "<!-- end of table -->"
EXITS = ("atr_period", "stop_atr", "target_atr")


def table() -> str:
    """Return the Markdown table of every strategy, as the catalogue says it."""
    lines = [
        "| strategy | speaks when | parameters (first value, bounds) | timeframes | confidence | "
        "after |",
        "|---|---|---|---|---|---|",
    ]
    family = ""
    for spec in (strategy.spec for strategy in STRATEGIES):
        if spec.family != family:
            family = spec.family
            lines.append(f"| **{family}** | | | | | |")
        lines.append(_line(spec))
    return "\n".join(lines) + "\n"


def written() -> str:
    """Return what stands in the page now."""
    return PAGE.read_text().partition(START)[2].partition(END)[0]


def write() -> None:
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(before + START + table() + END + rest.partition(END)[2])


def _line(spec: StrategySpec) -> str:
    own = "<br>".join(_param(one) for one in spec.params if one.name not in EXITS)
    stop, target = (spec.defaults()[name] for name in EXITS[1:])
    cells = (
        f"`{spec.strategy_id}`<br>{spec.title}{', **live**' if spec.first_mode == 'live' else ''}",
        spec.formula,
        f"{own}<br>stop {stop:g}, target {target:g} ATR",
        ", ".join(spec.timeframes),
        spec.confidence,
        spec.reference,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _param(one: Param) -> str:
    return (
        f"`{one.name}` {one.default:g} ({one.minimum:g} to {one.maximum:g} {one.unit}): "
        f"{one.meaning}"
    )


if __name__ == "__main__":
    write()
