"""Every path the site serves."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path

from petrosa_site import api_docs, health_views
from petrosa_site.metrics import Metrics
from signals_app.api.trade import TradeView

handler400 = "petrosa_site.problems.bad_request"
handler403 = "petrosa_site.problems.permission_denied"
handler404 = "petrosa_site.problems.not_found"
handler500 = "petrosa_site.problems.server_error"

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
    re_path(r"^api/schema/?$", api_docs.Schema.as_view(), name="schema"),
    re_path(r"^docs/?$", login_required(api_docs.Page.as_view(url_name="schema")), name="docs"),
    path("admin/", admin.site.urls),
]
