"""The one reader of the environment: typed values, aliases, and refusals that name the fix."""

from __future__ import annotations

import os
import warnings
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

from trading.domain.risk.window import WindowInvalid, made_of

BASE_DIR = Path(__file__).resolve().parent.parent

_env = environ.Env()  # type: ignore[no-untyped-call]


def load_dotenv() -> None:
    """Read `.env` beside manage.py; the real environment wins."""
    path = BASE_DIR / ".env"
    if path.exists() and not flag("PETROSA_IGNORE_DOTENV", False):
        environ.Env.read_env(path)


def text(name: str, default: str = "", *, aliases: tuple[str, ...] = ()) -> str:
    """Return the value of `name`, or of one of its older names; two that differ stop the boot."""
    given = {n: os.environ[n] for n in (name, *aliases) if os.environ.get(n, "") != ""}
    if len(set(given.values())) > 1:
        names = " and ".join(given)
        raise ImproperlyConfigured(f"{names} are both set and differ: keep only {name}.")
    for old in given:
        if old != name:
            warnings.warn(f"{old} is an older name: use {name}.", DeprecationWarning, stacklevel=2)
    return next(iter(given.values()), default)


def is_set(*names: str) -> bool:
    """Return whether any of `names` has a value of its own."""
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


def database(default_path: Path) -> dict[str, object]:
    """Return Django's DATABASES entry from DATABASE_URL, or SQLite at DATABASE_PATH."""
    url = text("DATABASE_URL")
    if not url:
        path = text("DATABASE_PATH", str(default_path))
        url = f"sqlite:///{Path(path).resolve()}"
    return dict(_env.db_url_config(url))  # type: ignore[no-untyped-call]
