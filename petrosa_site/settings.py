"""Django settings. Every value that may differ between machines comes through `env`."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from foundation import liveness
from petrosa_site import admin_theme, env
from petrosa_site.database import Timeouts, parameters
from petrosa_site.logging import logging_config
from petrosa_site.server.metrics_setup import share_between_processes
from signals_app.strategies import realtime

BASE_DIR = env.BASE_DIR
env.load_dotenv()

VERSION = "0.1.0"
VAR_DIR = Path(env.text("PETROSA_VAR_DIR", str(BASE_DIR / "var")))
ENVIRONMENT = env.choice(
    "ENVIRONMENT", "development", ("development", "test", "staging", "production")
)
DEBUG = env.flag("DEBUG_MODE", False)
SECRET_KEY = env.text("DJANGO_SECRET_KEY")
if not SECRET_KEY:
    if ENVIRONMENT == "production":
        raise ImproperlyConfigured("DJANGO_SECRET_KEY is empty: set 50 or more random characters.")
    from petrosa_site.stack.secrets import local_secret

    SECRET_KEY = local_secret(VAR_DIR / "secret_key")
SILENCED_SYSTEM_CHECKS = env.words("SILENCED_CHECKS")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_prometheus",
    "django_structlog",
    "audit",
    "exchanges",
    "trading",
    "signals_app",
    "petrosa_site",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "petrosa_site.server.page_policy.AdminPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "petrosa_site.urls"
WSGI_APPLICATION = "petrosa_site.wsgi.application"
ASGI_APPLICATION = "petrosa_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database -------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {"default": env.database(VAR_DIR / "petrosa.sqlite3")}
_database = DATABASES["default"]
USES_SQLITE = "sqlite3" in _database["ENGINE"]
DATABASE_LOCK_TIMEOUT_SECONDS = env.whole("DATABASE_LOCK_TIMEOUT_SECONDS", 5, minimum=0)
DATABASE_LONG_STATEMENT_TIMEOUT_SECONDS = env.whole(
    "DATABASE_LONG_STATEMENT_TIMEOUT_SECONDS", 900, minimum=0
)
DATABASE_PATIENT_OPTIONS: dict[str, Any] = {}  # those of connections that may take long
if USES_SQLITE:
    _database["CONN_MAX_AGE"] = None
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-20000;"
        ),
    }
    _database["TEST"] = {"NAME": env.text("TEST_DATABASE_NAME") or None}
else:
    _database["CONN_MAX_AGE"] = env.whole("DATABASE_CONN_MAX_AGE", 600, minimum=0)
    _database["CONN_HEALTH_CHECKS"] = True
    _timeouts = Timeouts(
        connect=env.whole("DATABASE_CONNECT_TIMEOUT_SECONDS", 5, minimum=0),
        lock=DATABASE_LOCK_TIMEOUT_SECONDS,
        statement=env.whole("DATABASE_STATEMENT_TIMEOUT_SECONDS", 60, minimum=0),
        long_statement=DATABASE_LONG_STATEMENT_TIMEOUT_SECONDS,
        idle_in_transaction=env.whole("DATABASE_IDLE_IN_TRANSACTION_SECONDS", 10, minimum=0),
        dead_peer=env.whole("DATABASE_DEAD_PEER_SECONDS", 6, minimum=0),
    )
    _given: dict[str, Any] = _database.get("OPTIONS", {})
    _database["OPTIONS"] = parameters(_timeouts, _given, is_patient=False)
    DATABASE_PATIENT_OPTIONS = parameters(_timeouts, _given, is_patient=True)
    # Plans are kept by the server. A pooler in transaction mode (PgBouncer before 1.21) cannot.
    if env.flag("DATABASE_PREPARED_STATEMENTS", True):
        _database["OPTIONS"].update(server_side_binding=True, prepare_threshold=2)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people ---------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["petrosa_site.rest.backends.OneQueryBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "desk"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("SECURE_COOKIES", ENVIRONMENT == "production")
BEHIND_TLS_PROXY = env.flag("BEHIND_TLS_PROXY", False)
FORWARDED_ALLOW_IPS = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

# --- language, time, files --------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "petrosa_site.formats"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [BASE_DIR / "petrosa_site" / "static"]
if (_charts := find_spec("litecharts")) is not None and _charts.origin:  # found, not imported
    STATICFILES_DIRS.append(("litecharts", Path(_charts.origin).with_name("js")))
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024

# --- redis, celery, channels ------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
REDIS_URL_GIVEN = env.is_set("REDIS_URL")  # `make run` starts a private one when it is not
CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": 30, "max_connections": 1000}]
        },
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# In a burst of signals the sweeps of the same queue go first: with 0 ahead of 6, a worker takes
# balances and instruments before the next new entry.
CELERY_SIGNAL_PRIORITY = 6
# What leaves or protects has a queue and workers of its own: no entry, and no venue that answers
# an entry slowly, is ever in its way. What computes for seconds or minutes has its own as well.
EXIT_QUEUE, ANALYSIS_QUEUE, BACKTEST_QUEUE = "exits", "analysis", "backtests"
CELERY_TASK_ROUTES = {
    "signals.act_on*": {"priority": CELERY_SIGNAL_PRIORITY},
    "signals.exit": {"queue": EXIT_QUEUE},
    "signals.sweep_exits": {"queue": EXIT_QUEUE},
    "trading.protect": {"queue": EXIT_QUEUE},
    "trading.watch_protection": {"queue": EXIT_QUEUE},
    "trading.reconcile": {"queue": EXIT_QUEUE},
    "trading.adopt": {"queue": EXIT_QUEUE},
    "trading.empty": {"queue": EXIT_QUEUE},
    "trading.sweep_stops": {"queue": EXIT_QUEUE},
    "trading.watch_equity": {"queue": EXIT_QUEUE},  # a loss limit may flatten
    "trading.watch_trips": {"queue": EXIT_QUEUE},
    "signals.run_technical": {"queue": ANALYSIS_QUEUE},
    "signals.sum_up": {"queue": ANALYSIS_QUEUE},
    "history.*": {"queue": ANALYSIS_QUEUE},
    "history.repair_one": {"queue": BACKTEST_QUEUE},  # minutes: a closed candle cannot wait so long
    "backtests.run*": {"queue": BACKTEST_QUEUE},
}
# The rows are the queue: what a killed worker had fetched is found by the sweeps within seconds.
# So Redis keeps no list of what is not acknowledged yet; kombu 5.7 ends the worker when it
# acknowledges over a connection that was lost meanwhile.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "ack_emulation": False,
    "priority_steps": [0, CELERY_SIGNAL_PRIORITY],
    "sep": ":",
}
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # a traceback would be logged a character a line
CELERY_BEAT_SCHEDULER = "petrosa_site.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1  # so that its sign of life is left on time
# By the process that serves it: its pulse goes through here.
WATCHED_QUEUES = {"worker": "celery", "exits": EXIT_QUEUE}
EMBEDDED_REDIS_PORT = env.whole("EMBEDDED_REDIS_PORT", 16379, minimum=1, maximum=65535)
EMBEDDED_NATS_PORT = env.whole("EMBEDDED_NATS_PORT", 14222, minimum=1, maximum=65535)

# --- signals ----------------------------------------------------------------------------------
NATS_URL = env.text("NATS_URL", "nats://127.0.0.1:4222", aliases=("NATS_SERVERS",))
NATS_URL_GIVEN = env.is_set("NATS_URL", "NATS_SERVERS")
NATS_SIGNAL_SUBJECT = env.text("NATS_SIGNAL_SUBJECT", "signals.trading")
NATS_LEGACY_SUBJECT = env.text(
    "NATS_LEGACY_SUBJECT", "tradeengine.orders", aliases=("NATS_PUBLISHER_TOPIC",)
)
NATS_CONTROL_SUBJECT = env.text("NATS_CONTROL_SUBJECT", "control.trading")
NATS_STREAM = env.text("NATS_STREAM", "TRADING")
NATS_DURABLE = env.text("NATS_DURABLE", "petrosa-signals")
SIGNAL_MAX_AGE_SECONDS = env.whole("SIGNAL_MAX_AGE_SECONDS", 60, minimum=1)
SIGNAL_MAX_BYTES = env.whole("SIGNAL_MAX_BYTES", 256 * 1024, minimum=1024)

# --- market data ------------------------------------------------------------------------------
TRADING_SYMBOLS = [s.upper() for s in env.words("TRADING_SYMBOLS", "BTCUSDT,ETHUSDT,BNBUSDT")]
CANDLE_INTERVALS = env.intervals("CANDLE_INTERVALS", "1m,5m,15m,1h,4h,1d")
HISTORY_DAYS = env.whole("HISTORY_DAYS", 3, minimum=0, maximum=3650)
HISTORY_CANDLES = env.whole("HISTORY_CANDLES", 1000, minimum=1, maximum=100_000)
NATS_CONSUMER_TOPIC = env.text("NATS_CONSUMER_TOPIC", "binance.websocket.data")
NATS_MARKET_FLAT = env.flag("NATS_MARKET_FLAT", True)
MARKET_STREAMS = env.words("MARKET_STREAMS", "bookTicker,depth20@100ms,trade,ticker,kline")
MARKET_SELECTION = env.selected(MARKET_STREAMS, CANDLE_INTERVALS)
MARKET_DATA_MARKETS = env.words("MARKET_DATA_MARKETS", "spot")

# --- our own strategies (first values; later changed in the database) ---------------------------
NATS_SHADOW_SUBJECT = env.text("NATS_SHADOW_SUBJECT", "signals.shadow")
NATS_HEARTBEAT_SUBJECT = env.text("NATS_HEARTBEAT_SUBJECT", "strategies.heartbeat")
STRATEGIES_HOST = env.text("STRATEGIES_HOST", "127.0.0.1")
STRATEGIES_PORT = env.whole("STRATEGIES_PORT", 8092, minimum=1, maximum=65535)
STRATEGIES_SHARD = env.shard("STRATEGIES_SHARD", "1/1")
TRADING_ENABLE_SHORTS = env.flag("TRADING_ENABLE_SHORTS", True)
TRADING_ENABLE_SHORTS_GIVEN = env.is_set("TRADING_ENABLE_SHORTS")
TRADING_LEVERAGE = env.number("TRADING_LEVERAGE", "1", minimum=1, maximum=125)
STRATEGY_FIRST_MODES = {
    spec.strategy_id: env.first_mode(spec.strategy_id.upper(), spec.first_mode)
    for spec in realtime.SPECS
}
STRATEGY_FIRST_PARAMS = {spec.strategy_id: env.params(spec) for spec in realtime.SPECS}

# --- first values of limits (later changed per account in the database) ------------------------
DEFAULT_ORDER_TYPE = env.choice(
    "DEFAULT_ORDER_TYPE",
    "market",
    ("market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit"),
)
DEFAULT_BASE_AMOUNT = env.number("DEFAULT_BASE_AMOUNT", "100.0", minimum=0)  # quote units
DEFAULT_BASE_AMOUNT_GIVEN = env.is_set("DEFAULT_BASE_AMOUNT")
STOP_LOSS_DEFAULT = env.number(
    "STOP_LOSS_DEFAULT", "2.0", aliases=("STOP_LOSS_PERCENTAGE",), minimum="0.01", maximum=99
)
MAX_STOP_LOSS_PCT = env.number("MAX_STOP_LOSS_PCT", "0", minimum=0, maximum=99)
TAKE_PROFIT_DEFAULT = env.number("TAKE_PROFIT_DEFAULT", "5.0", minimum=0, maximum=1000)
MIN_CONFIDENCE = env.number("MIN_CONFIDENCE", "0.5", minimum=0, maximum=1)
POSITION_PCT = env.number("POSITION_PCT", "0.02", minimum=0, maximum=1)
DEFAULT_BASE_QUANTITY = env.number("DEFAULT_BASE_QUANTITY", "0", minimum=0)  # base units
RISK_PER_TRADE = env.number("RISK_PER_TRADE", "0.02", minimum=0, maximum=1)
KELLY_FRACTION = env.number("KELLY_FRACTION", "0.25", minimum=0, maximum=1)
KELLY_CAP = env.number("KELLY_CAP", "0.1", minimum=0, maximum=1)
KELLY_MIN_TRADES = env.whole("KELLY_MIN_TRADES", 30, minimum=1, maximum=500)
MAX_OPEN_POSITIONS = env.whole(
    "MAX_OPEN_POSITIONS", 5, aliases=("MAX_OPEN_POSITIONS_PER_VA",), minimum=0
)
MAX_POSITION_NOTIONAL = env.number(
    "MAX_POSITION_NOTIONAL", "10000.0", aliases=("MAX_POSITION_SIZE",), minimum=0
)
REQUIRE_STOP = env.flag("REQUIRE_STOP", True)
MAX_SPREAD_BPS = env.number("MAX_SPREAD_BPS", "10.0", minimum=0)
MAX_SENDER_GAP_BPS = env.number("MAX_SENDER_GAP_BPS", "100", minimum=0)
MAX_PRICE_DEVIATION_BPS = env.number("MAX_PRICE_DEVIATION_BPS", "3000", minimum=0)
MAX_SLIPPAGE_BPS = env.number("MAX_SLIPPAGE_BPS", "5.0", minimum=0)
MAX_LATENCY_MS = env.whole("MAX_LATENCY_MS", 500, minimum=1, maximum=60_000)  # age of prices
MAX_VENUE_LATENCY_MS = env.whole("MAX_VENUE_LATENCY_MS", 1000, minimum=0)
MAX_ORDERS_PER_SECOND = env.whole("MAX_ORDERS_PER_SECOND", 10, minimum=0)
MAX_ORDERS_PER_MINUTE = env.whole("MAX_ORDERS_PER_MINUTE", 120, minimum=0)
MAX_ORDERS_PER_DAY = env.whole("MAX_ORDERS_PER_DAY", 2000, minimum=0)
MAX_REPEATS = env.whole("MAX_REPEATS", 10, minimum=0)
REPEAT_WINDOW_SECONDS = env.whole("REPEAT_WINDOW_SECONDS", 60, minimum=1, maximum=86400)
MAX_OPEN_POSITIONS_TOTAL = env.whole("MAX_OPEN_POSITIONS_TOTAL", 5, minimum=0)
MAX_SYMBOL_EXPOSURE = env.number("MAX_SYMBOL_EXPOSURE", "0", minimum=0)
MAX_GROSS_EXPOSURE = env.number("MAX_GROSS_EXPOSURE", "0", minimum=0)
MAX_NET_EXPOSURE = env.number("MAX_NET_EXPOSURE", "0", minimum=0)
ONE_SYMBOL_PER_ACCOUNT = env.flag("ONE_SYMBOL_PER_ACCOUNT", True)
ONE_SYMBOL_PER_ACCOUNT_GIVEN = env.is_set("ONE_SYMBOL_PER_ACCOUNT")
MAX_ENTRIES_PER_POSITION = env.whole("MAX_ENTRIES_PER_POSITION", 0, minimum=0)
MAX_LOSS_COOLDOWN = env.whole("MAX_LOSS_COOLDOWN", 3, minimum=0)
COOLDOWN_DURATION_SECONDS = env.whole(
    "COOLDOWN_DURATION_SECONDS", 300, minimum=0, maximum=2_592_000
)
DAILY_LOSS_WARN_PCT = env.number("DAILY_LOSS_WARN_PCT", "2", minimum=0, maximum=100)
DAILY_LOSS_REDUCE_PCT = env.number("DAILY_LOSS_REDUCE_PCT", "3", minimum=0, maximum=100)
DAILY_LOSS_FLATTEN_PCT = env.number("DAILY_LOSS_FLATTEN_PCT", "0", minimum=0, maximum=100)
WEEKLY_LOSS_WARN_PCT = env.number("WEEKLY_LOSS_WARN_PCT", "4", minimum=0, maximum=100)
WEEKLY_LOSS_REDUCE_PCT = env.number("WEEKLY_LOSS_REDUCE_PCT", "6", minimum=0, maximum=100)
WEEKLY_LOSS_FLATTEN_PCT = env.number("WEEKLY_LOSS_FLATTEN_PCT", "0", minimum=0, maximum=100)
DRAWDOWN_WARN_PCT = env.number("DRAWDOWN_WARN_PCT", "10", minimum=0, maximum=100)
DRAWDOWN_REDUCE_PCT = env.number("DRAWDOWN_REDUCE_PCT", "15", minimum=0, maximum=100)
DRAWDOWN_FLATTEN_PCT = env.number("DRAWDOWN_FLATTEN_PCT", "0", minimum=0, maximum=100)
WARN_AT_PCT = env.number("WARN_AT_PCT", "80", minimum=0, maximum=100)
TRADING_WINDOW = env.window(  # text of trading.domain.risk.window; empty: round the clock
    start=env.text("TRADING_WINDOW_START"),
    end=env.text("TRADING_WINDOW_END"),
    timezone=env.text("TRADING_WINDOW_TIMEZONE", "UTC"),
    weekdays=env.text("TRADING_WINDOW_WEEKDAYS"),
)
FOUR_EYES = env.flag("FOUR_EYES", False)
QUOTE_MAX_AGE_SECONDS = env.number("QUOTE_MAX_AGE_SECONDS", "2", minimum="0.1")
BALANCE_MAX_AGE_SECONDS = env.number("BALANCE_MAX_AGE_SECONDS", "120", minimum=1)
DESK_TIMEZONE = env.timezone("DESK_TIMEZONE", "UTC")  # when its day and its week begin
EQUITY_MAX_AGE_SECONDS = env.whole("EQUITY_MAX_AGE_SECONDS", 60, minimum=5)
EQUITY_SNAPSHOT_SECONDS = env.whole("EQUITY_SNAPSHOT_SECONDS", 60, minimum=1)
KILL_SWITCH_ENABLED = env.flag("KILL_SWITCH_ENABLED", False)
TRIP_EVERY_SECONDS = env.number("TRIP_EVERY_SECONDS", "5", minimum=1)
TRIP_GRACE_SECONDS = env.number("TRIP_GRACE_SECONDS", "60", minimum=1)
TRIP_VENUE_ERROR_PCT = env.whole("TRIP_VENUE_ERROR_PCT", 50, minimum=0, maximum=100)
TRIP_VENUE_ERROR_SECONDS = env.whole("TRIP_VENUE_ERROR_SECONDS", 30, minimum=1, maximum=60)
TRIP_MARKET_STALE_SECONDS = env.number("TRIP_MARKET_STALE_SECONDS", "60", minimum=0)
TRIP_CLOCK_SKEW_MS = env.whole("TRIP_CLOCK_SKEW_MS", 2000, minimum=0)
TRIP_UNKNOWN_ORDER_SECONDS = env.number("TRIP_UNKNOWN_ORDER_SECONDS", "180", minimum=0)
TRIP_NATS_BACKLOG = env.whole("TRIP_NATS_BACKLOG", 10000, minimum=0)
TRIP_SLIPPED_ENTRIES = env.whole("TRIP_SLIPPED_ENTRIES", 5, minimum=0)
TRIP_AUDIT_FAILURES = env.whole("TRIP_AUDIT_FAILURES", 1, minimum=0)
TRIP_LOCK_WAIT_SECONDS = env.number("TRIP_LOCK_WAIT_SECONDS", "15", minimum=0)
RECONCILE_INTERVAL_SECONDS = env.number("RECONCILE_INTERVAL_SECONDS", "5", minimum=1)
PROTECTION_GRACE_SECONDS = env.number("PROTECTION_GRACE_SECONDS", "3", minimum="0.5")
NAKED_EXIT_AFTER_SECONDS = env.number("NAKED_EXIT_AFTER_SECONDS", "15", minimum=0)
SYNTHETIC_STOPS_ENABLED = env.flag("SYNTHETIC_STOPS_ENABLED", True)

# --- venue ------------------------------------------------------------------------------------
SIMULATION_ENABLED = env.flag("SIMULATION_ENABLED", True)
BINANCE_TESTNET = env.flag("BINANCE_TESTNET", True)
BINANCE_DEMO = env.flag("BINANCE_DEMO", False)
MAINNET_TRADING_ENABLED = env.flag("MAINNET_TRADING_ENABLED", False)
BINANCE_API_KEY = env.text("BINANCE_API_KEY")
BINANCE_API_SECRET = env.text("BINANCE_API_SECRET")
# Of further accounts, by the name that a venue account says its credentials have.
BINANCE_CREDENTIALS = env.credentials("BINANCE_API_KEY", "BINANCE_API_SECRET")
BINANCE_SPOT_REST_URL = env.text("BINANCE_SPOT_REST_URL")
BINANCE_SPOT_WS_URL = env.text("BINANCE_SPOT_WS_URL")
BINANCE_SPOT_STREAM_URL = env.text("BINANCE_SPOT_STREAM_URL")
BINANCE_USDM_STREAM_URL = env.text("BINANCE_USDM_STREAM_URL")
BINANCE_USDM_REST_URL = env.text("BINANCE_USDM_REST_URL")
BINANCE_RECV_WINDOW_MS = env.whole("BINANCE_RECV_WINDOW_MS", 5000, minimum=1, maximum=60000)
BINANCE_TIMEOUT_SECONDS = env.number("BINANCE_TIMEOUT_SECONDS", "12", minimum=1)
EXIT_RECV_WINDOW_MS = env.whole("EXIT_RECV_WINDOW_MS", 1000, minimum=100, maximum=60000)
EXIT_TIMEOUT_SECONDS = env.number("EXIT_TIMEOUT_SECONDS", "1.5", minimum="0.1")
BINANCE_MAX_WEIGHT_PER_MIN = env.whole("BINANCE_MAX_WEIGHT_PER_MIN", 0, minimum=0)
SIMULATOR_HOST = env.text("SIMULATOR_HOST", "127.0.0.1")
SIMULATOR_PORT = env.whole("SIMULATOR_PORT", 8090, minimum=1, maximum=65535)
SIMULATOR_PRICES = env.text("SIMULATOR_PRICES", "synthetic")
SIMULATOR_FAULTS = env.flag("SIMULATOR_FAULTS", False)
SIMULATOR_LATENCY_MS = env.whole("SIMULATOR_LATENCY_MS", 0, minimum=0)
SIMULATOR_UNLIMITED = env.flag("SIMULATOR_UNLIMITED", False)
SIMULATOR_STATE_FILE = Path(
    env.text("SIMULATOR_STATE_FILE", str(VAR_DIR / "simulator" / "simulator.db"))
)
SIMULATOR_API_KEY = env.text("SIMULATOR_API_KEY", "simulator-key")
SIMULATOR_API_SECRET = env.text("SIMULATOR_API_SECRET", "simulator-secret")
_simulator = f"{SIMULATOR_HOST}:{SIMULATOR_PORT}"
SIMULATOR_REST_URL = env.text("SIMULATOR_REST_URL", f"http://{_simulator}")
SIMULATOR_WS_API_URL = env.text("SIMULATOR_WS_API_URL", f"ws://{_simulator}/ws-api/v3")
SIMULATOR_STREAM_URL = env.text("SIMULATOR_STREAM_URL", f"ws://{_simulator}")


def venue_environment() -> str:
    """Return where new accounts trade: simulation unless each switch says otherwise."""
    if SIMULATION_ENABLED:
        return "simulator"
    if BINANCE_DEMO:
        return "demo"
    return "testnet" if BINANCE_TESTNET else "mainnet"


VENUE_ENVIRONMENT = venue_environment()
env.check_markets(MARKET_DATA_MARKETS, VENUE_ENVIRONMENT)

_EVERY = float(RECONCILE_INTERVAL_SECONDS)
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": every, "options": {"expires": every}}
    for name, task, every in (
        ("reconcile orders", "trading.reconcile", _EVERY),
        ("watch protection", "trading.watch_protection", 1.0),
        ("adopt orders", "trading.adopt", 2.0),
        ("compare with venues", "trading.compare_with_venues", 120.0),
        ("sweep stops", "trading.sweep_stops", 2.0),
        ("watch equity", "trading.watch_equity", 2.0),
        ("watch trips", "trading.watch_trips", float(TRIP_EVERY_SECONDS)),
        ("sweep signals", "signals.sweep", _EVERY),
        ("sweep exits", "signals.sweep_exits", 1.0),
        ("run technical strategies", "signals.run_technical", 2.0),
        ("sum up scorecards", "signals.sum_up", 10.0),
        ("repair history", "history.repair", 10.0),
        ("sweep backtests", "backtests.sweep", 30.0),
        ("refresh balances", "trading.refresh_balances", 30.0),
        ("refresh instruments", "trading.refresh_instruments", 3600.0),
    )
}
CELERY_BEAT_SCHEDULE |= {
    f"pulse of {process}": {
        "task": "life.pulse",
        "schedule": liveness.EVERY_SECONDS,
        "args": (process,),
        "options": {"queue": queue, "expires": liveness.SILENT_SECONDS},
    }
    for process, queue in WATCHED_QUEUES.items()
}
EXPECTED_PROCESSES = env.words("EXPECTED_PROCESSES")

# --- web and API ------------------------------------------------------------------------------
API_HOST = env.text("API_HOST", "127.0.0.1", aliases=("TRADING_SERVICE_HOST",))
API_PORT = env.whole("API_PORT", 8000, aliases=("TRADING_SERVICE_PORT",), minimum=1, maximum=65535)
METRICS_OPEN = env.flag("METRICS_OPEN", True)
WEB_THREADS = env.whole("WEB_THREADS", 6 if USES_SQLITE else 10, minimum=3, maximum=64)
REQUEST_MAX_BYTES = env.whole("REQUEST_MAX_BYTES", 10 * 1024 * 1024, minimum=1024)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "petrosa_site.rest.tokens.LightTokenAuthentication",
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["petrosa_site.rest.json_body.ShallowJson"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "petrosa_site.rest.negotiation.JsonUnlessAsked",
    "DEFAULT_FILTER_BACKENDS": ["petrosa_site.rest.listing.StrictFilters"],
    "DEFAULT_PAGINATION_CLASS": "petrosa_site.rest.listing.NewestFirst",
    "DEFAULT_THROTTLE_CLASSES": ["petrosa_site.rest.throttles.WindowThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {
        "trade": env.text("API_TRADE_RATE", "6000/min"),
        "user": env.text("API_RATE", "1200/min"),
        "metrics": env.text("API_METRICS_RATE", "120/min"),
        "login": env.text("API_LOGIN_RATE", "10/min"),
    },
    "NUM_PROXIES": 0,  # who asks is told by the server alone, which knows FORWARDED_ALLOW_IPS
    "EXCEPTION_HANDLER": "petrosa_site.rest.problems.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "SIGNING_KEY": env.text("JWT_SECRET_KEY") or SECRET_KEY,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Petrosa",
    "DESCRIPTION": "Signals in, decisions, orders, fills, positions and audit out.",
    "VERSION": VERSION,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "ENUM_NAME_OVERRIDES": {
        "OrderStatusEnum": "trading.api.legacy_documents.ORDER_STATUSES",
        "SignalStatusEnum": "signals_app.models.Signal.Status",
        "StrategyModeEnum": "signals_app.models.StrategySetting.Mode",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "petrosa_site.rest.api_docs.add_problems",
        "petrosa_site.rest.api_docs.name_paths",
    ],
}
UNFOLD: dict[str, Any] = admin_theme.UNFOLD

# --- what pages may load: their own files, nothing else (the admin theme needs a little more) --
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- logs and metrics -------------------------------------------------------------------------
LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOG_FORMAT = env.choice("LOG_FORMAT", "json", ("json", "console"))
LOG_FORMAT_GIVEN = env.is_set("LOG_FORMAT")
LOGGING = logging_config(LOG_LEVEL, LOG_FORMAT)
LOGGING_CONFIG = "logging.config.dictConfig"
PROMETHEUS_EXPORT_MIGRATIONS = False
PROMETHEUS_MULTIPROC_DIR = env.text("PROMETHEUS_MULTIPROC_DIR")
if PROMETHEUS_MULTIPROC_DIR:
    share_between_processes(Path(PROMETHEUS_MULTIPROC_DIR))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
