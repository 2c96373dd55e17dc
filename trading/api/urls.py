"""Paths of trading under /api/v1/; a closing slash is welcome, not needed."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from trading.api import (
    approvals,
    circuit_breakers,
    equity,
    export,
    limits,
    performance,
    positions,
    slippage,
    viewsets,
)

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("decisions", viewsets.DecisionViewSet)
router.register("orders", viewsets.OrderViewSet)
router.register("fills", viewsets.FillViewSet)
router.register("positions", positions.PositionViewSet)
router.register("position-adjustments", positions.AdjustmentViewSet)
router.register("closed-trades", performance.ClosedTradeViewSet)
router.register("accounts", viewsets.AccountViewSet)
router.register("equity", equity.EquityViewSet)
router.register("capital-moves", equity.CapitalMoveViewSet)
router.register("cooldowns", equity.CooldownViewSet)
router.register("limits", limits.LimitViewSet)
router.register("limit-changes", limits.LimitChangeViewSet)
router.register("approvals", approvals.ApprovalViewSet)
router.register("trading-state", viewsets.TradingStateViewSet)

urlpatterns = [
    re_path(r"^performance/?$", performance.PerformanceView.as_view(), name="performance"),
    re_path(r"^standing/?$", equity.StandingView.as_view(), name="standing"),
    re_path(
        r"^accounts/(?P<pk>\d{1,18})/reset-drawdown/?$",
        equity.DrawdownResetView.as_view(),
        name="reset-drawdown",
    ),
    re_path(r"^slippage/?$", slippage.SlippageView.as_view(), name="slippage"),
    re_path(r"^trips/?$", circuit_breakers.TripsView.as_view(), name="trips"),
    re_path(r"^stats/?$", viewsets.StatisticsView.as_view(), name="stats"),
    re_path(r"^limits/effective/?$", limits.EffectiveView.as_view(), name="limits-effective"),
    re_path(r"^audit/export/?$", export.ExportView.as_view(), name="audit-export"),
    *router.urls,
]
