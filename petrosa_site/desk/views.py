"""The desk: one live page, the numbers behind it, and the buttons that stop and release."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from petrosa_site.desk import selectors
from trading.domain.risk.types import TradingMode
from trading.models import TradingState
from trading.selectors import resting
from trading.services.control import kill_switch
from trading.services.execution import flatten

View = Callable[[HttpRequest], HttpResponse]
PLACES = (
    ("Signals", "signals_app", "signal"),
    ("Orders", "trading", "order"),
    ("Positions", "trading", "position"),
    ("Accounts", "trading", "virtualaccount"),
    ("Audit", "audit", "event"),
)


def data_for_people(view: View) -> View:
    """Answer a page whose session ended with 401, which a script understands, not with a form."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return JsonResponse({"detail": "Log in first."}, status=401)
        return view(request)

    return guarded


@require_GET
@login_required
@never_cache
def desk(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    context = {
        "environment": selectors.environment(),
        "places": places(user),
        "can_stop": user.has_perm("trading.engage_kill_switch"),
        "options": {
            "canRelease": user.has_perm("trading.release_kill_switch"),
            "links": _links(user),
            "paths": {
                "snapshot": reverse("desk-snapshot"),
                "books": reverse("desk-books"),
                "plan": reverse("desk-stop-plan"),
                "release": reverse("desk-release"),
                "login": f"{reverse('login')}?next={reverse('desk')}",
                "live": "/ws/live/",
            },
        },
    }
    return render(request, "desk/desk.html", context)


@require_GET
@data_for_people
@never_cache
def snapshot(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Return everything the page shows."""
    return JsonResponse(selectors.snapshot())


@require_GET
@data_for_people
@never_cache
def books(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Return trading state, accounts and positions only."""
    return JsonResponse(selectors.books())


@require_POST
@data_for_people
def stop(request: HttpRequest) -> HttpResponse:
    """Make all trading stricter, in one step: HALTED, or the level that is asked for."""
    user = _user(request)
    if not user.has_perm("trading.engage_kill_switch"):
        return JsonResponse({"detail": "You have no permission to stop trading."}, status=403)
    try:
        mode = kill_switch.level(request.POST.get("mode", TradingMode.HALTED.value))
        reason = request.POST.get("reason", "").strip()[:500] or "stopped from the desk"
        kill_switch.engage(actor=user.get_username(), reason=reason, mode=mode)
    except ValueError as error:
        return JsonResponse({"detail": str(error)}, status=400)
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse(selectors.books())
    return redirect("desk")


@require_GET
@data_for_people
@never_cache
def plan(request: HttpRequest) -> HttpResponse:
    """Return what a level would cancel and sell everywhere, for those who may ask for it."""
    if not _user(request).has_perm("trading.engage_kill_switch"):
        return JsonResponse({"detail": "You have no permission to stop trading."}, status=403)
    try:
        mode = kill_switch.level(request.GET.get("mode", ""))
    except ValueError as error:
        return JsonResponse({"detail": str(error)}, status=400)
    planned = flatten.plan(mode=mode, scope=TradingState.Scope.GLOBAL, key="")
    return JsonResponse({"mode": mode.value, **planned.as_json()})


@require_POST
@data_for_people
def release(request: HttpRequest) -> HttpResponse:
    """Let trading go on where one stop stood, or have that wait for a second person."""
    user = _user(request)
    if not user.has_perm("trading.release_kill_switch"):
        return JsonResponse({"detail": "You have no permission to release a stop."}, status=403)
    number, reason = request.POST.get("state", ""), request.POST.get("reason", "").strip()[:500]
    if not number.isdecimal() or not TradingState.objects.filter(pk=number[:18]).exists():
        return JsonResponse({"detail": "state: there is no such stop."}, status=400)
    if not reason:
        return JsonResponse({"detail": "reason: write why trading may go on."}, status=400)
    outcome = kill_switch.release(
        state_id=int(number[:18]), actor=user.get_username(), reason=reason
    )
    said = "" if outcome else "It was released before."
    if outcome.waits:
        said = f"It is still stopped: another person must approve it (approval {outcome.waits.pk})."
    return JsonResponse({**selectors.books(), "said": said})


def places(user: AbstractUser) -> list[dict[str, str]]:
    """Return the admin pages this person may open."""
    return [
        {"title": title, "url": reverse(f"admin:{app}_{model}_changelist")}
        for title, app, model in PLACES
        if user.is_staff and user.has_perm(f"{app}.view_{model}")
    ]


def _links(user: AbstractUser) -> dict[str, str]:
    """Return addresses of single rows with 0 for the id; empty where the person may not look.

    `resting` is the list of entries that a stop leaves at the venue.
    """
    rows = (
        ("signal", "signals_app"),
        ("order", "trading"),
        ("position", "trading"),
        ("tradingstate", "trading"),
        ("virtualaccount", "trading"),
    )
    links = {
        model: reverse(f"admin:{app}_{model}_change", args=(0,))
        if user.is_staff and user.has_perm(f"{app}.view_{model}")
        else ""
        for model, app in rows
    }
    orders = reverse("admin:trading_order_changelist")
    links["resting"] = f"{orders}?{resting.ADMIN_FILTER}" if links["order"] else ""
    return links


def _user(request: HttpRequest) -> AbstractUser:
    return cast("AbstractUser", cast("Any", request).user)
