"""What waits for a second person, and what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display

from foundation.admin.facts import FactAdmin
from trading.models import Approval
from trading.services.control import four_eyes
from trading.services.money import approvals

STATE_COLOURS = {"approved": "success", "pending": "warning", "declined": "danger"}


@admin.register(Approval)
class ApprovalAdmin(FactAdmin):
    change_form_template = "admin/trading/approval/change_form.html"
    list_display = ("words", "state_label", "author", "asked_at", "decided_by", "decided_at")
    list_filter = ("state", "kind")
    search_fields = ("target__exact", "author__exact")
    search_help_text = "Stop, account or strategy, or who asked, exactly"
    fields = (
        ("kind", "target"),
        "words",
        "reason",
        ("author", "asked_at"),
        ("state", "decided_by", "decided_at"),
        "decision_reason",
    )

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, row: Approval) -> str:
        return str(row.state)

    def has_view_permission(self, request: HttpRequest, obj: Approval | None = None) -> bool:
        may_decide = (request.user.has_perm(name) for name in approvals.PERMISSIONS.values())
        return bool(super().has_view_permission(request, obj)) or any(may_decide)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_module_permission(request)) or self.has_view_permission(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = Approval.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        context = {
            **(extra_context or {}),
            "may_decide": row is not None and request.user.has_perm(approvals.permission_for(row)),
            "is_author": row is not None
            and four_eyes.is_same(row.author, request.user.get_username()),
        }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        def decided(verb: str) -> URLPattern:
            view = require_POST(self.admin_site.admin_view(self._decide))
            name = f"trading_approval_{verb}"
            return path(f"<int:pk>/{verb}/", view, kwargs={"verb": verb}, name=name)

        return [decided("approve"), decided("decline"), *super().get_urls()]

    def _decide(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        row = get_object_or_404(Approval, pk=pk)
        if not request.user.has_perm(approvals.permission_for(row)):
            raise PermissionDenied
        decide = approvals.approve if verb == "approve" else approvals.decline
        actor, reason = request.user.get_username(), request.POST.get("reason", "").strip()[:500]
        try:
            decide(pk, actor=actor, reason=reason)
        except (ValidationError, four_eyes.SecondPersonNeeded) as error:
            words = error.messages if isinstance(error, ValidationError) else [str(error)]
            messages.error(request, " ".join(words))
        else:
            messages.success(request, "Approved and done." if verb == "approve" else "Declined.")
        return redirect(reverse("admin:trading_approval_change", args=[pk]))
