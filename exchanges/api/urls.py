"""Paths of history under /api/v1/; a closing slash is welcome, not needed."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from exchanges.api.candles import CandlesView, FundingRatesView
from exchanges.api.series import SeriesViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("candle-series", SeriesViewSet, basename="candle-series")

urlpatterns = [
    re_path(r"^candles/?$", CandlesView.as_view(), name="candles"),
    re_path(r"^funding-rates/?$", FundingRatesView.as_view(), name="funding-rates"),
    *router.urls,
]
