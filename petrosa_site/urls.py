"""Every path the site serves."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from petrosa_site import people
from petrosa_site.rest import api_docs, login_api
from petrosa_site.server import health_views
from petrosa_site.server.metrics import Metrics
from signals_app.admin import what_if
from signals_app.api.preview import PreviewView
from signals_app.api.scorecards import ScorecardsView
from signals_app.api.strategies import StrategiesView, StrategyView
from signals_app.api.trade import TradeView

handler400 = "petrosa_site.rest.problems.bad_request"
handler403 = "petrosa_site.rest.problems.permission_denied"
handler404 = "petrosa_site.rest.problems.not_found"
handler500 = "petrosa_site.rest.problems.server_error"

api: list[URLPattern | URLResolver] = [
    re_path(r"^auth/token/?$", login_api.TokenView.as_view(), name="token"),
    re_path(r"^auth/jwt/?$", login_api.JwtView.as_view(), name="jwt"),
    re_path(r"^auth/jwt/refresh/?$", login_api.JwtRefreshView.as_view(), name="jwt-refresh"),
    re_path(r"^decisions/preview/?$", PreviewView.as_view(), name="decisions-preview"),
    re_path(r"^scorecards/?$", ScorecardsView.as_view(), name="scorecards"),
    re_path(r"^strategies/?$", StrategiesView.as_view(), name="strategies"),
    re_path(
        r"^strategies/(?P<strategy_id>[A-Za-z0-9_.-]{1,100})/?$",
        StrategyView.as_view(),
        name="strategy",
    ),
    path("", include("signals_app.api.viewsets")),
    path("", include("trading.api.urls")),
    path("", include("exchanges.api.urls")),
    path("", include("audit.api")),
]
urlpatterns = [
    re_path(r"^trade/?$", TradeView.as_view(), name="trade"),
    path("", include("trading.api.legacy_urls")),
    path("", health_views.root, name="root"),
    re_path(r"^health/?$", health_views.detail, name="health"),
    re_path(r"^healthz/?$", health_views.healthz, name="healthz"),
    re_path(r"^ready/?$", health_views.ready, name="ready"),
    re_path(r"^version/?$", health_views.version, name="version"),
    re_path(r"^status/?$", health_views.StatusView.as_view(), name="status"),
    re_path(r"^info/?$", health_views.InfoView.as_view(), name="info"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("api/v1/", include(api)),
    re_path(r"^api/schema/?$", api_docs.Schema.as_view(), name="schema"),
    re_path(r"^docs/?$", login_required(api_docs.Page.as_view(url_name="schema")), name="docs"),
    path("desk/", include("petrosa_site.desk.urls")),
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/what-if/", admin.site.admin_view(what_if.show), name="what-if"),
    path("admin/password_change/", admin.site.admin_view(people.change_own_password)),
    path("admin/", admin.site.urls),
]
