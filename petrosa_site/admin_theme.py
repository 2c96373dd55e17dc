"""How the admin looks and what its menu offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

COLOURS = {"simulator": "info", "testnet": "warning", "demo": "warning", "mainnet": "danger"}


def environment(request: HttpRequest) -> list[str] | None:
    """Return the badge of every admin page: where signals trade by default."""
    from petrosa_site.desk import selectors

    if not request.user.is_authenticated:
        return None
    name = selectors.environment()
    if not name:
        return ["no account", "warning"]
    return [f"{name} · real money" if name == "mainnet" else name, COLOURS[name]]


def _may(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Return the question whether somebody has one of the permissions."""
    return lambda request: any(map(request.user.has_perm, permissions))


def _item(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _may(f"{app}.view_{model}"),
    }


def _file(path: str) -> Callable[[HttpRequest], str]:
    return lambda _: static(path)


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Petrosa",
    "SITE_HEADER": "Petrosa",
    "SITE_SUBHEADER": "Trading operations",
    "SITE_URL": reverse_lazy("desk"),
    "SITE_ICON": _file("petrosa/icon.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _file("petrosa/icon.svg")},
    ],
    "ENVIRONMENT": "petrosa_site.admin_theme.environment",
    "STYLES": [_file("petrosa/theme.css"), _file("petrosa/admin.css")],
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "items": [
                    {"title": "Live desk", "icon": "monitoring", "link": reverse_lazy("desk")},
                ]
            },
            {
                "title": "Trading",
                "items": [
                    _item("Signals", "sensors", "signals_app", "signal"),
                    _item("Decisions", "gavel", "trading", "decision"),
                    {
                        "title": "What if",
                        "icon": "help_center",
                        "link": reverse_lazy("what-if"),
                        "permission": _may("trading.trade", "trading.view_decision"),
                    },
                    _item("Orders", "receipt_long", "trading", "order"),
                    _item("Order lists", "account_tree", "trading", "orderlist"),
                    _item("Fills", "done_all", "trading", "fill"),
                    _item("Closed trades", "swap_vert", "trading", "closedtrade"),
                    _item("Positions", "stacked_line_chart", "trading", "position"),
                    _item("Settled shortfalls", "rule", "trading", "positionadjustment"),
                    _item("Equity", "show_chart", "trading", "equitysnapshot"),
                    _item("Losses", "trending_down", "trading", "equitycourse"),
                ],
            },
            {
                "title": "Control",
                "items": [
                    _item("Kill switch", "front_hand", "trading", "tradingstate"),
                    _item("Stop reports", "task_alt", "trading", "stopreport"),
                    _item("Approvals", "how_to_reg", "trading", "approval"),
                    _item("Virtual accounts", "tune", "trading", "virtualaccount"),
                    _item("Strategy mapping", "alt_route", "trading", "strategymapping"),
                    _item("Capital", "savings", "trading", "capitalmove"),
                    _item("Losing streaks", "hourglass_bottom", "trading", "lossstreak"),
                    _item("Limits", "speed", "trading", "limit"),
                    _item("Limit changes", "published_with_changes", "trading", "limitchange"),
                    _item("Audit trail", "history", "audit", "event"),
                ],
            },
            {
                "title": "Strategies",
                "items": [
                    _item("Our strategies", "psychology", "signals_app", "strategysetting"),
                    _item("Candle runs", "candlestick_chart", "signals_app", "candlerun"),
                    _item("Backtests", "science", "signals_app", "backtestrun"),
                    _item("Sweeps", "grid_on", "signals_app", "backtestsweep"),
                    {
                        "title": "Scorecards",
                        "icon": "leaderboard",
                        "link": reverse_lazy("admin:scorecards"),
                        "permission": _may("signals_app.view_scoreday"),
                    },
                ],
            },
            {
                "title": "Venues",
                "items": [
                    _item("Venue accounts", "account_balance", "exchanges", "venueaccount"),
                    _item("Guard", "shield", "trading", "guardlease"),
                    _item("Others' stops", "lock_clock", "trading", "foreignconditionals"),
                    _item("Balances", "account_balance_wallet", "exchanges", "balance"),
                    _item("Instruments", "list_alt", "exchanges", "instrumentrow"),
                    _item("Price history", "candlestick_chart", "exchanges", "series"),
                    _item("Funding rates", "percent", "exchanges", "fundingrate"),
                    _item("Outages", "cloud_off", "exchanges", "outage"),
                ],
            },
            {
                "title": "People",
                "items": [
                    _item("Users", "person", "auth", "user"),
                    _item("Groups", "group", "auth", "group"),
                    _item("API tokens", "key", "authtoken", "tokenproxy"),
                ],
            },
        ],
    },
}
