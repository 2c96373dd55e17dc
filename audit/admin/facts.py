"""Admin of rows nobody edits, in lists that stay fast with a million of them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator


class FastListAdmin(ModelAdmin):
    """A list that never counts its table: newest first, next and previous only."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_disable_select_all = True
    list_per_page = 50
    list_fullwidth = True
    list_filter_sheet = False
    ordering: ClassVar[tuple[str, ...]] = ("-id",)


class FactAdmin(FastListAdmin):
    """Rows that record what happened: to be read, never added, changed or deleted by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Model | None = None,  # noqa: ARG002
    ) -> bool:
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Model | None = None,  # noqa: ARG002
    ) -> bool:
        return False


def pretty(value: Any) -> SafeString:
    """Show JSON as indented text; whatever is in it stays text."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return format_html('<pre class="petrosa-code">{}</pre>', text)


def number(value: Decimal | None) -> str:
    """Show a decimal with every digit it has and no exponent."""
    return "–" if value is None else f"{value:,f}"
