"""The older engines' paths that belong to trading; a closing slash is welcome everywhere."""

from __future__ import annotations

from django.urls import re_path

from trading.api import legacy

urlpatterns = [
    re_path(r"^account/?$", legacy.AccountView.as_view(), name="account"),
    re_path(r"^price/(?P<symbol>[\w/-]{1,40}?)/?$", legacy.PriceView.as_view(), name="price"),
    re_path(
        r"^order/(?P<symbol>[\w-]{1,40})/(?P<order_id>[\w.:-]{1,64})/?$",
        legacy.OrderView.as_view(),
        name="order",
    ),
    re_path(r"^trading/stop/?$", legacy.StopView.as_view(), name="trading-stop"),
]
