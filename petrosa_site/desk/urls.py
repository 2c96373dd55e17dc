"""Paths of the desk, all under /desk/."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from petrosa_site.desk import views
from petrosa_site.desk.login import Login

urlpatterns = [
    path("", views.desk, name="desk"),
    path("snapshot.json", views.snapshot, name="desk-snapshot"),
    path("books.json", views.books, name="desk-books"),
    path("stop/plan.json", views.plan, name="desk-stop-plan"),
    path("release/", views.release, name="desk-release"),
    path("stop/", views.stop, name="desk-stop"),
    path("login/", Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
]
