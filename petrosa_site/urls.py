"""Every path the site serves."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from petrosa_site.metrics import Metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("metrics", Metrics.as_view(), name="metrics"),
]
