"""The one reader of the environment: typed values, aliases, and refusals that name the fix."""

from __future__ import annotations

import os
import warnings
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

from exchanges.domain.candles import INTERVALS
from exchanges.market_data import selection
from exchanges.market_data.selection import Selection, SelectionInvalid
from signals_app.realtime.shard import Shard, ShardInvalid
from signals_app.strategies.spec import ParamInvalid, StrategySpec
from trading.domain.risk.window import WindowInvalid, made_of

BASE_DIR = Path(__file__).resolve().parent.parent

# Say the same thing: who gives one of them does not want the others of a running stack.
TOGETHER = (
    {"DATABASE_URL", "DATABASE_PATH"},
    {
        "SIMULATOR_HOST",
        "SIMULATOR_PORT",
        "SIMULATOR_REST_URL",
        "SIMULATOR_WS_API_URL",
        "SIMULATOR_STREAM_URL",
    },
)
# Not for others to take over. Production asks for secrets, and those are not told.
OWN = {"ENVIRONMENT", "PETROSA_IGNORE_DOTENV", "PETROSA_VAR_DIR", "PROMETHEUS_MULTIPROC_DIR"}
SECRET = ("KEY", "SECRET", "PASSWORD", "TOKEN")

_env = environ.Env()  # type: ignore[no-untyped-call]
_asked: set[str] = set()
_stack: dict[str, str] = {}


def load_dotenv() -> None:
    """Read `.env` beside manage.py; the real environment wins.

    What neither gives is taken from the stack that runs in our folder, if one does: a command
    beside `make run` is about that stack.
    """
    if flag("PETROSA_IGNORE_DOTENV", False):
        return
    path = BASE_DIR / ".env"
    if path.exists():
        environ.Env.read_env(path)
    _stack.update(of_stack(Path(text("PETROSA_VAR_DIR", str(BASE_DIR / "var")))))


def stack_file(folder: Path) -> Path:
    return folder / "stack.env"


def of_stack(folder: Path) -> dict[str, str]:
    """Return the variables of the stack that runs in `folder`; nothing when none does."""
    try:
        first, *lines = stack_file(folder).read_text().splitlines()
        word, pid, life = first.split(" ", 2)
    except (OSError, ValueError):  # not there, not ours to read, or not whole
        return {}
    if word != "#" or not pid.isdigit() or life != life_of(int(pid)):
        return {}
    told = {name: value for name, _, value in (line.partition("=") for line in lines)}
    unwanted = {name for names in TOGETHER if is_set(*names) for name in names}
    return {n: v for n, v in told.items() if n not in unwanted and may_be_told(n)}


def for_commands_beside(**extra: str) -> str:
    """Return what `of_stack` reads, for the stack that this process is."""
    given = {n: os.environ[n] for n in sorted(_asked) if is_set(n)} | extra
    told = [f"{n}={v}" for n, v in given.items() if may_be_told(n) and len(v.splitlines()) == 1]
    return "\n".join([f"# {os.getpid()} {life_of(os.getpid())}", *told]) + "\n"


def may_be_told(name: str) -> bool:
    return name not in OWN and not any(word in name for word in SECRET)


def life_of(pid: int) -> str:
    """Return what tells a process from a later one of the same number; empty when it is gone."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass  # somebody else's, and alive
    except (ProcessLookupError, OverflowError):
        return ""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "alive"  # no Linux: its number has to do


def text(name: str, default: str = "", *, aliases: tuple[str, ...] = ()) -> str:
    """Return the value of `name`, or of one of its older names; two that differ stop the boot."""
    names = (name, *aliases)
    _asked.update(names)
    given = {n: os.environ[n] for n in names if is_set(n)} or {
        n: _stack[n] for n in names if n in _stack
    }
    if len(set(given.values())) > 1:
        both = " and ".join(given)
        raise ImproperlyConfigured(f"{both} are both set and differ: keep only {name}.")
    for old in given:
        if old != name:
            warnings.warn(f"{old} is an older name: use {name}.", DeprecationWarning, stacklevel=2)
    return next(iter(given.values()), default)


def credentials(key: str, secret: str) -> dict[str, tuple[str, str]]:
    """Return key and secret of every further account: NAME of `<key>_NAME` and `<secret>_NAME`.

    One without the other stops the boot.
    """
    found = {}
    for first, other in ((key, secret), (secret, key)):
        for name in sorted(n for n in os.environ if n.startswith(f"{first}_") and is_set(n)):
            account = name.removeprefix(f"{first}_")
            if not is_set(f"{other}_{account}"):
                raise ImproperlyConfigured(f"{name} is set and {other}_{account} is not.")
            found[account] = text(f"{key}_{account}"), text(f"{secret}_{account}")
    return found


def is_set(*names: str) -> bool:
    """Return whether any of `names` has a value of its own, whatever a running stack has."""
    return any(os.environ.get(name, "") != "" for name in names)


def for_children(**extra: str) -> dict[str, str]:
    """Return this process's environment with `extra` on top, for a child process."""
    return {**os.environ, **extra}


def flag(name: str, default: bool) -> bool:
    raw = text(name, str(default)).strip().lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is not a boolean: write true or false.")


def number(
    name: str,
    default: str | int,
    *,
    aliases: tuple[str, ...] = (),
    minimum: str | int | None = None,
    maximum: str | int | None = None,
) -> Decimal:
    raw = text(name, str(default), aliases=aliases)
    try:
        value = Decimal(raw)
    except InvalidOperation:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a number.") from None
    if not value.is_finite():
        raise ImproperlyConfigured(f"{name}={raw!r} must be a finite number.")
    if minimum is not None and value < Decimal(minimum):
        raise ImproperlyConfigured(f"{name}={raw} is too small: at least {minimum}.")
    if maximum is not None and value > Decimal(maximum):
        raise ImproperlyConfigured(f"{name}={raw} is too large: at most {maximum}.")
    return value


def whole(
    name: str,
    default: int,
    *,
    aliases: tuple[str, ...] = (),
    minimum: int | None = None,
    maximum: int | None = None,
) -> int:
    value = number(name, default, aliases=aliases, minimum=minimum, maximum=maximum)
    if value != value.to_integral_value():
        raise ImproperlyConfigured(f"{name}={value} must be a whole number.")
    return int(value)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r}: choose one of {', '.join(allowed)}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    return [w.strip() for w in text(name, default).split(",") if w.strip()]


def intervals(name: str, default: str) -> list[str]:
    """Read lengths of candles, each once, shortest first."""
    found = set(words(name, default))
    if unknown := found - set(INTERVALS):
        raise ImproperlyConfigured(
            f"{name} has {sorted(unknown)[0]!r}, which is no interval: "
            f"use some of {', '.join(INTERVALS)}."
        )
    return sorted(found, key=INTERVALS.__getitem__)


def selected(kinds: list[str], intervals: list[str]) -> Selection:
    """Return which market streams are wanted. Refuse kinds nobody offers."""
    try:
        return Selection(tuple(kinds), tuple(intervals))
    except SelectionInvalid as error:
        raise ImproperlyConfigured(f"MARKET_STREAMS: {error}.") from None


def check_markets(wanted: list[str], environment: str) -> None:
    """Refuse markets whose data cannot be had where we trade."""
    name = "MARKET_DATA_MARKETS"
    for market in wanted:
        if market not in selection.MARKETS:
            raise ImproperlyConfigured(
                f"{name}={market!r}: choose some of {', '.join(selection.MARKETS)}."
            )
    if selection.SPOT not in wanted:
        raise ImproperlyConfigured(f"{name} needs spot: that is where we trade. Write spot,usdm.")
    if selection.USDM in wanted and environment == "simulator":
        raise ImproperlyConfigured(
            f"{name} names usdm, but the simulator is a spot venue: take usdm out, or trade in "
            "testnet, demo or mainnet (SIMULATION_ENABLED=false)."
        )


def timezone(name: str, default: str) -> ZoneInfo:
    value = text(name, default)
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name}={value!r} is no timezone: write one such as Europe/Berlin or UTC."
        ) from None


def window(*, start: str, end: str, timezone: str, weekdays: str) -> str:
    """Return a trading window in words; neither start nor end is round the clock."""
    if not start and not end:
        return ""
    try:
        return str(made_of(start, end, timezone, weekdays))
    except WindowInvalid as error:
        raise ImproperlyConfigured(f"TRADING_WINDOW_...: {error}.") from None


def shard(name: str, default: str) -> str:
    """Return which share of the symbols a process owns, such as 2/3."""
    try:
        return str(Shard.parsed(text(name, default)))
    except ShardInvalid as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


def first_mode(name: str, default: str) -> str:
    """Return how a strategy starts: live, off, or `default` when STRATEGY_ENABLED_<name> is not
    set."""
    variable = f"STRATEGY_ENABLED_{name}"
    if not text(variable):
        return default
    return "live" if flag(variable, True) else "off"


def params(spec: StrategySpec) -> dict[str, float]:
    """Return the first values of a strategy's parameters that the environment gives."""
    given: dict[str, float] = {}
    for param in spec.params:
        if param.env and text(param.env):
            try:
                given[param.name] = param.checked(float(number(param.env, "0")))
            except ParamInvalid as error:
                raise ImproperlyConfigured(f"{param.env}: {error.message}.") from None
    return given


def database(default_path: Path) -> dict[str, object]:
    """Return Django's DATABASES entry from DATABASE_URL, or SQLite at DATABASE_PATH."""
    url = text("DATABASE_URL")
    if not url:
        path = text("DATABASE_PATH", str(default_path))
        url = f"sqlite:///{Path(path).resolve()}"
    return dict(_env.db_url_config(url))  # type: ignore[no-untyped-call]
