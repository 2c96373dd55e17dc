"""Put a strategy to the past: `manage.py run_backtest STRATEGY --symbol BTCUSDT --interval 1m`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import orjson
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from exchanges.domain.candles import Candles
from exchanges.market_data import recorded
from signals_app.backtest import candles as candle_run
from signals_app.backtest import coverage, metrics, report, ticks
from signals_app.backtest.setup import SetupInvalid
from signals_app.gateways import candle_files
from signals_app.services import backtest_plan, backtest_report, sweep_report, sweeps
from signals_app.services.backtest_plan import Plan, Wish
from signals_app.strategies import catalogue
from trading.domain.risk.types import SizingModel
from trading.services.control import limit_proposals

NOT_A_SCREEN = 120  # columns
OPTIONS = {
    "strategy": "STRATEGY",
    "start": "--from",
    "end": "--to",
    "candles": "--file",
    "grid": "--sweep",
}  # where they are called otherwise than the field


class Command(BaseCommand):
    help = (
        "Run a strategy of ours over stored candles (or a file) through the live risk rules and "
        "the simulator's matching engine, and say what it came to. docs/backtests.md says what is "
        "modelled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        first = Wish("", "", "")
        add = parser.add_argument
        add("strategy", help="id of a strategy of the catalogue")
        add("--symbol", required=True, help="BTCUSDT")
        add("--interval", default="", help="1m, 5m, 15m, 1h, ...; the strategy's first by default")
        add("--from", dest="start", default="", help="2025-01-31 or 2025-01-31T12:00, UTC")
        add("--to", dest="end", default="", help="the same; not included")
        add("--params", nargs="*", default=[], metavar="NAME=VALUE", help="others than the default")
        add("--preset", default="", help="a named set of parameters of the strategy's")
        add(
            "--environment", default=first.environment, help="whose stored candles and symbol rules"
        )
        add(
            "--file", type=Path, help="candles from a .json, .csv, .parquet, .feather (.gz) instead"
        )
        add("--finer", type=Path, help="a file of shorter candles: which level came first")
        add("--finer-interval", default="1m")
        add("--stream", type=Path, nargs="+", help="recorded stream files, for realtime strategies")
        add("--cash", default=first.cash, help="quote units to begin with")
        add("--fee-bps", default=first.fee_bps)
        add("--spread-bps", default=first.spread_bps, help="between bid and ask")
        add("--slippage-bps", default=first.slippage_bps, help="lost beyond it at every taking")
        add("--depth-per-bps", default=first.depth_per_bps, help="quote units; 0: any size fills")
        add("--latency-ms", type=int, default=first.latency_ms, help="from decision to arrival")
        add("--sizing", default=first.sizing_model, choices=[m.value for m in SizingModel])
        add("--limits", type=Path, help="YAML, JSON or CSV as of replay_risk, over first values")
        add("--json", type=Path, help="write the whole report there; - for the terminal")
        add("--html", type=Path, help="write the report as one page there")
        add(
            "--sweep",
            action="append",
            default=[],
            metavar="NAME=5:50:5",
            help="try values (from, to and step, or 20,50,100); once for each parameter",
        )
        add("--windows", type=int, default=sweeps.WINDOWS, help="of a sweep's walk forward")
        add("--ratio", type=int, default=sweeps.RATIO, help="in-sample over out-of-sample length")
        add("--actor", default="command:run_backtest", help="who asks for the sweep, for the trail")

    def handle(self, *args: Any, **options: Any) -> None:
        wish = _wish(options)
        out = cast(IO[str], self.stdout)
        console = Console(
            file=cast(IO[str], self.stderr),
            highlight=False,
            width=None if out.isatty() else NOT_A_SCREEN,
        )
        try:
            if options["sweep"]:
                self._sweep(wish, options, console, out)
                return
            run = self._stream if options["stream"] else self._run
            told = run(wish, options, console)
        except ValidationError as error:
            raise CommandError(_objections(error)) from None
        except SetupInvalid as error:
            raise CommandError(f"{_option(error.name)}: {error.message}") from None
        except candle_files.FileUnreadable as error:
            raise CommandError(f"--file: {error}") from None
        self._tell(told, options, out)

    def _sweep(self, wish: Wish, options: dict[str, Any], console: Console, out: IO[str]) -> None:
        for name in ("file", "finer", "stream", "html"):
            if options[name]:
                raise CommandError(
                    f"--{name}: a sweep runs on stored candles and has no page of it"
                )
        sweep, is_new = sweeps.ask(
            wish=wish,
            grid=_grid(options["sweep"]),
            windows=options["windows"],
            ratio=options["ratio"],
            actor=options["actor"],
            is_enqueued=False,
        )
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        try:
            with Progress(*columns, console=console, transient=True) as bar:
                task = bar.add_task(f"sweep {sweep.pk}", total=sweep.trials_count)
                for now in sweeps.help_out(sweep.pk):
                    words = f"sweep {now.pk}: {now.trials_done} of {now.trials_count} trials"
                    bar.update(task, completed=now.trials_done, description=words)
        except KeyboardInterrupt:
            if is_new:
                sweeps.cancel(sweep.pk, actor=options["actor"])
            raise
        sweep.refresh_from_db()
        if sweep.results is None:
            raise CommandError(f"sweep {sweep.pk}: {sweep.get_status_display()} {sweep.error}")
        told = sweep_report.document(sweep)
        if options["json"] is not None and str(options["json"]) != "-":
            _write("json", _json, options["json"], told)
        if str(options["json"]) == "-":
            self.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
            return
        screen = Console(file=out, highlight=False, width=None if out.isatty() else NOT_A_SCREEN)
        _warn(screen, told["results"]["warnings"])
        sweep_report.show(told, screen)

    def _stream(self, wish: Wish, options: dict[str, Any], console: Console) -> report.Json:
        strategy, setup = backtest_plan.stream_plan(wish)
        columns = (TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("reading")
            found, market = ticks.run(
                strategy,
                _frames(options["stream"]),
                setup,
                progress=lambda read: bar.update(task, description=f"{read:,} frames"),
            )
        return report.document(found, metrics.of(found), market)

    def _run(self, wish: Wish, options: dict[str, Any], console: Console) -> report.Json:
        plan = backtest_plan.plan(wish)
        candles = _candles(plan, options)
        finer = None
        if options["finer"]:
            finer = candle_files.read(
                options["finer"], symbol=plan.setup.symbol, interval=options["finer_interval"]
            )
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(f"{len(candles):,} candles", total=1.0)
            found = candle_run.run(
                plan.strategy,
                candles,
                plan.setup,
                finer=finer,
                progress=lambda done: bar.update(task, completed=done),
            )
        said = coverage.warnings(candles, plan.start_ms, plan.end_ms)
        return report.document(found, metrics.of(found), candles, warnings=said)

    def _tell(self, told: report.Json, options: dict[str, Any], out: IO[str]) -> None:
        for name, write in (("json", _json), ("html", _html)):
            path = options[name]
            if path is None or str(path) == "-":
                continue
            _write(name, write, path, told)
        if str(options["json"]) == "-":
            self.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
            return
        console = Console(file=out, highlight=False, width=None if out.isatty() else NOT_A_SCREEN)
        setup, calls = told["setup"], told["calls"]
        console.print(
            f"{setup['strategy_id']} {setup['symbol']} {setup['interval']}, {setup['from']} to "
            f"{setup['to']} UTC, {setup['looks']:,} looks",
            markup=False,
        )
        _warn(console, told["warnings"])
        table = Table("Figure", "")
        table.columns[1].justify = "right"
        for name, text in told["lines"]:
            table.add_row(name, text)
        console.print(table)
        console.print(f"{calls['said']:,} calls, {calls['approved']:,} approved", markup=False)
        for word in ("denied", "rejected"):
            for code, count in calls[word].items():
                console.print(f"  {word} {code}: {count:,}", markup=False)
        if told["still_open"]:
            console.print(f"{told['still_open']} still held, valued at the end", markup=False)
        console.print(f"result {told['digest']}", markup=False)


def _warn(console: Console, warnings: list[str]) -> None:
    for words in warnings:
        console.print(f"WARNING: {words}", style="bold yellow", markup=False)


def _frames(paths: list[Path]) -> Iterator[recorded.Recorded]:
    try:
        yield from recorded.frames(paths)
    except OSError as error:
        raise CommandError(f"--stream: {error.filename}: {error.strerror or error}") from None
    except (ValueError, KeyError, EOFError) as error:
        raise CommandError(
            f"--stream: this is no recording of `<local ns> <json>` lines: {error}"
        ) from None


def _wish(options: dict[str, Any]) -> Wish:
    strategy = options["strategy"]
    interval = options["interval"] or _first_interval(strategy)
    entries: list[dict[str, str]] = []
    if options["limits"]:
        try:
            entries = [
                {"scope": p.scope, "key": p.key, "name": p.name, "value": p.value}
                for p in limit_proposals.read(options["limits"])
                if p.value is not None
            ]
        except OSError as error:
            raise CommandError(f"--limits: {options['limits']}: {error.strerror}") from None
        except limit_proposals.ProposalInvalid as error:
            raise CommandError(f"--limits: {options['limits']}:\n{error}") from None
    return Wish(
        strategy_id=strategy,
        symbol=options["symbol"].upper(),
        interval=interval,
        start=options["start"],
        end=options["end"],
        params={**_preset(strategy, options["preset"]), **_params(options["params"])},
        cash=options["cash"],
        fee_bps=options["fee_bps"],
        spread_bps=options["spread_bps"],
        slippage_bps=options["slippage_bps"],
        depth_per_bps=options["depth_per_bps"],
        latency_ms=options["latency_ms"],
        sizing_model=options["sizing"],
        limits=entries,
        environment=options["environment"],
    )


def _first_interval(strategy_id: str) -> str:
    spec = catalogue.BY_ID.get(strategy_id)
    return spec.timeframes[0] if spec and spec.timeframes else "1m"


def _preset(strategy_id: str, name: str) -> dict[str, float]:
    spec = catalogue.BY_ID.get(strategy_id)
    if not name or spec is None:
        return {}
    if name not in spec.presets:
        known = f"has only {', '.join(spec.presets)}" if spec.presets else "has none"
        raise CommandError(f"--preset: it {known}")
    return dict(spec.presets[name])


def _params(words: list[str]) -> dict[str, float]:
    found = {}
    for word in words:
        name, is_there, value = word.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            is_there = ""
        if not is_there or not name:
            raise CommandError(f"--params: write {word!r} as name=number, such as fast=10")
    return found


def _candles(plan: Plan, options: dict[str, Any]) -> Candles:
    if not options["file"]:
        return backtest_plan.candles_of(plan)
    found = candle_files.read(
        options["file"], symbol=plan.setup.symbol, interval=plan.wish.interval
    )
    cut = backtest_plan.within(plan, found)
    if len(cut) < 2:
        raise CommandError(f"--file: {options['file']} has {len(cut)} candles in that time")
    return cut


def _objections(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return "\n".join(
        f"{_option(name)}: {' '.join(words)}" for name, words in error.message_dict.items()
    )


def _option(field: str) -> str:
    return OPTIONS.get(field, "--" + field.replace("_", "-"))


def _grid(words: list[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, is_there, values = word.partition("=")
        if not is_there or not name or name in found:
            raise CommandError(f"--sweep: write {word!r} as fast=5:50:5, each parameter once")
        found[name] = values
    return found


def _write(name: str, write: Callable[[Path, Any], None], path: Path, told: Any) -> None:
    try:
        write(path, told)
    except OSError as error:
        raise CommandError(f"--{name}: {path}: {error.strerror}") from None


def _json(path: Path, told: report.Json) -> None:
    path.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


def _html(path: Path, told: report.Json) -> None:
    path.write_text(backtest_report.page(told), encoding="utf-8")
