"""System checks: combinations of settings that are contradictory, dangerous or surprising.

Errors stop every process at its start; each message names the variable and the hint the fix.
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

TAG = "petrosa"
WORDS_OF_WEAK_SECRETS = ("change", "secret", "example", "insecure", "password", "xxxx")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
REAL_MONEY_HOSTS = (
    "api.binance.com",
    "api1.binance.com",
    "api2.binance.com",
    "api3.binance.com",
    "api4.binance.com",
    "api-gcp.binance.com",
    "ws-api.binance.com",
)


def is_production() -> bool:
    return bool(settings.ENVIRONMENT == "production")


def is_real_money() -> bool:
    """Say whether mainnet may be traded; without its own switch E003 stops the boot anyway."""
    return bool(settings.VENUE_ENVIRONMENT == "mainnet")


def strict() -> str:
    """Return why the strict checks hold, for the message; empty when they do not.

    They follow what can be lost, not a word: real money under any ENVIRONMENT is production.
    """
    if is_production():
        return "in production"
    return "with real money" if is_real_money() else ""


def is_weak(secret: str) -> bool:
    """Return whether a secret is short, repetitive or reads like a placeholder."""
    plain = secret.lower()
    placeholder = any(word in plain for word in WORDS_OF_WEAK_SECRETS)
    return len(secret) < 32 or len(set(secret)) < 12 or placeholder


def host_of(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def weak_secrets() -> list[CheckMessage]:
    """Refuse placeholders where sessions and tokens are signed for real."""
    named = (("DJANGO_SECRET_KEY", settings.SECRET_KEY), ("JWT_SECRET_KEY", jwt_key()))
    return [
        Error(
            f"{name} is weak {strict()}: too short, repetitive or a placeholder.",
            hint=f"Set {name} to 50 or more random characters.",
            id="petrosa.E001",
        )
        for name, secret in named
        if strict() and is_weak(secret)
    ]


def jwt_key() -> str:
    return str(settings.SIMPLE_JWT["SIGNING_KEY"])


def debug_where_it_counts() -> list[CheckMessage]:
    if not (settings.DEBUG and strict()):
        return []
    return [
        Error(
            f"DEBUG_MODE=true {strict()}: error pages would show secrets.",
            hint="Set DEBUG_MODE=false.",
            id="petrosa.E002",
        )
    ]


def mainnet_without_its_own_switch() -> list[CheckMessage]:
    if settings.VENUE_ENVIRONMENT != "mainnet" or settings.MAINNET_TRADING_ENABLED:
        return []
    return [
        Error(
            "SIMULATION_ENABLED=false and BINANCE_TESTNET=false mean real money, "
            "but MAINNET_TRADING_ENABLED is false.",
            hint="Set BINANCE_TESTNET=true, or MAINNET_TRADING_ENABLED=true if you mean it.",
            id="petrosa.E003",
        )
    ]


def mainnet_switch_contradicts_the_others() -> list[CheckMessage]:
    if not settings.MAINNET_TRADING_ENABLED or settings.VENUE_ENVIRONMENT == "mainnet":
        return []
    return [
        Error(
            "MAINNET_TRADING_ENABLED=true contradicts the other switches, which choose "
            f"{settings.VENUE_ENVIRONMENT}.",
            hint="Set MAINNET_TRADING_ENABLED=false; or for real money SIMULATION_ENABLED, "
            "BINANCE_TESTNET and BINANCE_DEMO all false.",
            id="petrosa.E004",
        )
    ]


def real_money_host_without_mainnet() -> list[CheckMessage]:
    """Refuse an override that would send test orders to the real exchange."""
    if settings.VENUE_ENVIRONMENT == "mainnet":
        return []
    return [
        Error(
            f"{name} names {host_of(url)}, the real exchange, while the switches choose "
            f"{settings.VENUE_ENVIRONMENT}.",
            hint=f"Clear {name}, or follow the steps to mainnet in docs/operations.md.",
            id="petrosa.E005",
        )
        for name, url in venue_overrides()
        if host_of(url) in REAL_MONEY_HOSTS
    ]


def mainnet_keys_sent_elsewhere() -> list[CheckMessage]:
    """Refuse an override that would hand mainnet credentials to another host."""
    if settings.VENUE_ENVIRONMENT != "mainnet":
        return []
    return [
        Error(
            f"{name} would send mainnet credentials to {host_of(url)}.",
            hint=f"Clear {name}: mainnet uses the exchange's own hosts.",
            id="petrosa.E006",
        )
        for name, url in venue_overrides()
        if not host_of(url).endswith(".binance.com")
    ]


def venue_overrides() -> list[tuple[str, str]]:
    names = ("BINANCE_SPOT_REST_URL", "BINANCE_SPOT_WS_URL")
    return [(name, getattr(settings, name)) for name in names if getattr(settings, name)]


def embedded_servers_where_it_counts() -> list[CheckMessage]:
    given = (("REDIS_URL", settings.REDIS_URL_GIVEN), ("NATS_URL", settings.NATS_URL_GIVEN))
    return [
        Error(
            f"{name} is missing {strict()}.",
            hint=f"Set {name} to your own server; embedded ones are for laptops and tests.",
            id="petrosa.E007",
        )
        for name, is_given in given
        if strict() and not is_given
    ]


def any_host_where_it_counts() -> list[CheckMessage]:
    if not strict() or "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            f"ALLOWED_HOSTS=* {strict()} lets anybody forge links and socket origins.",
            hint="List the names the site is reached by.",
            id="petrosa.E008",
        )
    ]


def faults_outside_development() -> list[CheckMessage]:
    if not (settings.SIMULATOR_FAULTS and strict()):
        return []
    return [
        Error(
            f"SIMULATOR_FAULTS=true {strict()}: anybody who reaches the simulator can break it.",
            hint="Set SIMULATOR_FAULTS=false.",
            id="petrosa.E009",
        )
    ]


def subjects_that_swallow_signals() -> list[CheckMessage]:
    """Refuse one subject for what is traded and for what never is: signals would just vanish."""
    traded = ("NATS_SIGNAL_SUBJECT", "NATS_LEGACY_SUBJECT")
    never = ("NATS_SHADOW_SUBJECT", "NATS_HEARTBEAT_SUBJECT")
    return [
        Error(
            f"{other}={getattr(settings, other)} is the subject of {name} too: "
            "no signal on it would be traded.",
            hint=f"Give {other} a subject of its own.",
            id="petrosa.E010",
        )
        for name in traded
        for other in never
        if getattr(settings, name) == getattr(settings, other)
    ]


def venue_without_credentials() -> list[CheckMessage]:
    complete = settings.BINANCE_API_KEY and settings.BINANCE_API_SECRET
    if settings.SIMULATION_ENABLED or complete:
        return []
    return [
        Warning(
            "SIMULATION_ENABLED=false without BINANCE_API_KEY and BINANCE_API_SECRET: "
            f"every order to {settings.VENUE_ENVIRONMENT} will be refused.",
            hint="Set both, or SIMULATION_ENABLED=true.",
            id="petrosa.W001",
        )
    ]


def sqlite_where_it_counts() -> list[CheckMessage]:
    if not (strict() and settings.USES_SQLITE):
        return []
    return [
        Warning(
            f"SQLite {strict()}: one writer at a time, one machine, no failover.",
            hint="Set DATABASE_URL to a PostgreSQL 15 or newer.",
            id="petrosa.W002",
        )
    ]


def base_amount_is_quote_units() -> list[CheckMessage]:
    if not settings.DEFAULT_BASE_AMOUNT_GIVEN:
        return []
    return [
        Warning(
            f"DEFAULT_BASE_AMOUNT={settings.DEFAULT_BASE_AMOUNT} is read as quote units "
            "(100 means 100 USDT, not 100 BTC).",
            hint="Check the figure, then silence petrosa.W003 with SILENCED_CHECKS.",
            id="petrosa.W003",
        )
    ]


def cookies_without_tls() -> list[CheckMessage]:
    if not strict() or settings.SESSION_COOKIE_SECURE:
        return []
    return [
        Warning(
            f"SECURE_COOKIES=false {strict()}: sessions travel in the clear.",
            hint="Serve by TLS and set SECURE_COOKIES=true.",
            id="petrosa.W004",
        )
    ]


def simulator_with_known_keys() -> list[CheckMessage]:
    known = settings.SIMULATOR_API_SECRET == "simulator-secret"  # noqa: S105
    exposed = settings.SIMULATOR_HOST not in LOOPBACK
    if not (settings.SIMULATION_ENABLED and is_production() and known and exposed):
        return []
    return [
        Warning(
            f"The simulator listens on {settings.SIMULATOR_HOST} with the keys of the manual.",
            hint="Set SIMULATOR_API_KEY and SIMULATOR_API_SECRET.",
            id="petrosa.W005",
        )
    ]


def shorts_on_spot() -> list[CheckMessage]:
    """Warn where somebody asks for shorts: every venue we trade on is a spot market."""
    if not (settings.TRADING_ENABLE_SHORTS_GIVEN and settings.TRADING_ENABLE_SHORTS):
        return []
    return [
        Warning(
            "TRADING_ENABLE_SHORTS=true, but on spot a sell only closes what is held: nothing "
            "is sold short.",
            hint="Set TRADING_ENABLE_SHORTS=false.",
            id="petrosa.W006",
        )
    ]


def leverage_on_spot() -> list[CheckMessage]:
    if settings.TRADING_LEVERAGE == 1:
        return []
    return [
        Warning(
            f"TRADING_LEVERAGE={settings.TRADING_LEVERAGE}, but on spot nothing is borrowed: "
            "positions are as large as their limits say.",
            hint="Set TRADING_LEVERAGE=1.",
            id="petrosa.W007",
        )
    ]


ALL = (
    weak_secrets,
    debug_where_it_counts,
    mainnet_without_its_own_switch,
    mainnet_switch_contradicts_the_others,
    real_money_host_without_mainnet,
    mainnet_keys_sent_elsewhere,
    embedded_servers_where_it_counts,
    any_host_where_it_counts,
    faults_outside_development,
    subjects_that_swallow_signals,
    venue_without_credentials,
    sqlite_where_it_counts,
    base_amount_is_quote_units,
    cookies_without_tls,
    simulator_with_known_keys,
    shorts_on_spot,
    leverage_on_spot,
)


def messages(**_kwargs: Any) -> list[CheckMessage]:
    """Return what every check says; Django passes keyword arguments that none needs."""
    return [message for check in ALL for message in check()]


def refuse_to_start() -> None:
    """Leave with the errors on stderr; for programs that are not management commands."""
    errors = [m for m in messages() if m.is_serious() and not m.is_silenced()]
    if errors:
        sys.exit("\n".join(["Petrosa does not start:", *(str(error) for error in errors)]))
