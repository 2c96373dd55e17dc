"""Who came in and who changed whom, written to the trail: Django's own log can be edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from rest_framework.authtoken.models import Token
from rest_framework.request import Request

from audit import trail

ANONYMOUS = "anonymous"
LONGEST_NAME = 150
AnyRequest = HttpRequest | Request


def logged_in(user: User, request: AnyRequest, *, by: str, **more: Any) -> None:
    """Record a login through `by`: form, token or jwt."""
    _record("user.logged_in", user, request, by=by, **more)


def token_revoked(request: Request) -> None:
    _record("user.token_revoked", request.user, request)


def change_own_password(request: HttpRequest) -> HttpResponseBase:
    """Do what the admin's page does, on record."""
    user: Any = request.user  # logged in, or the admin would not have let them here
    before = user.password
    with transaction.atomic():
        answer: HttpResponseBase = admin.site.password_change(request)
        if user.password != before:
            _record("user.password_changed", user, request)
    return answer


def watch() -> None:
    """Record what every door has in common: failed logins and logouts."""
    user_login_failed.connect(_login_failed, dispatch_uid="login-failed-on-record")
    user_logged_out.connect(_logged_out, dispatch_uid="logout-on-record")


def _login_failed(
    sender: object,  # noqa: ARG001
    credentials: dict[str, Any],
    request: AnyRequest | None = None,
    **_kwargs: Any,
) -> None:
    tried = str(credentials.get("username") or "")[:LONGEST_NAME]
    shown = "".join(one if one.isprintable() else "?" for one in tried)
    data = {"username": shown, **whence(request)}
    with transaction.atomic():
        trail.record(
            trail.Entry(kind="user.login_failed", actor=ANONYMOUS, subject_type="user", data=data)
        )


def _logged_out(
    sender: object,  # noqa: ARG001
    request: AnyRequest,
    user: User | None,
    **_kwargs: Any,
) -> None:
    if user is not None:  # a session that ended by itself had none
        _record("user.logged_out", user, request)


def _record(kind: str, user: Any, request: AnyRequest, **data: Any) -> None:
    entry = trail.Entry(
        kind=kind,
        actor=user.get_username(),
        subject_type="user",
        subject_id=str(user.pk),
        data={**whence(request), **data},
    )
    with transaction.atomic():
        trail.record(entry)


def whence(request: AnyRequest | None) -> dict[str, str]:
    return {"address": str(request.META.get("REMOTE_ADDR", ""))} if request is not None else {}


def as_it_stands(one: User | Group | Token) -> dict[str, Any]:
    """Return what decides what a user or a group may do."""
    if isinstance(one, User):
        return {
            "username": one.get_username(),
            "is_active": one.is_active,
            "is_staff": one.is_staff,
            "is_superuser": one.is_superuser,
            "groups": sorted(one.groups.values_list("name", flat=True)),
            "permissions": _names(one.user_permissions),
        }
    if isinstance(one, Group):
        return {"name": one.name, "permissions": _names(one.permissions)}
    return {"user": one.user.get_username()}


def _names(permissions: Any) -> list[str]:
    rows = permissions.order_by().values_list("content_type__app_label", "codename")
    return sorted(f"{app}.{codename}" for app, codename in rows)


def subject_of(one: User | Group | Token) -> tuple[str, str]:
    """Return the kind of subject and its id; a token is known by whose it is, never by its key."""
    if isinstance(one, Token):
        return "token", str(one.user_id)
    return ("user" if isinstance(one, User) else "group"), str(one.pk)
