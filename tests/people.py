"""Logged-in browsers of people with exactly the permissions a test names, and quick passwords."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Permission, User
from django.test import Client


def permissions(*names: str) -> list[Permission]:
    """Find permissions by `app.codename`; an unknown one fails the test."""
    return [
        Permission.objects.get(content_type__app_label=app, codename=codename)
        for app, codename in (name.split(".") for name in names)
    ]


def logged_in(*names: str, username: str = "ann", is_staff: bool = True) -> Client:
    """Make a person with the named permissions and return their browser."""
    user = User.objects.create_user(username, is_staff=is_staff)
    user.user_permissions.set(permissions(*names))
    client = Client()
    client.force_login(user)
    return client


class QuickHasher(PBKDF2PasswordHasher):
    """Django's own, so that child processes of tests can check what it made; but one round."""

    iterations = 1
