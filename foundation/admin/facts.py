"""Admin of rows nobody edits, in lists that stay fast with a million of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import DecimalField, Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from foundation.readable import number, short

Show = Callable[[Decimal | None], str]


class FastListAdmin(ModelAdmin):
    """A list that never counts or sorts its table: newest first, next and previous only."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_disable_select_all = True
    list_per_page = 50
    list_fullwidth = True
    list_filter_sheet = False
    sortable_by = ()
    ordering: ClassVar[tuple[str, ...]] = ("-id",)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._readable(name, show=short) for name in super().get_list_display(request)]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [self._line(line) for line in options["fields"]]})
            for title, options in fieldsets
        ]

    def _line(self, line: Any) -> Any:
        if isinstance(line, list | tuple):
            return [self._readable(name) for name in line]
        return self._readable(line)

    def _readable(self, name: Any, show: Show | None = None) -> Any:
        """Show decimal columns by `number`: the admin itself pads them to eighteen places."""
        if not isinstance(name, str) or name not in self._decimals():
            return name
        return _column(name, str(self._decimals()[name]), show or number)

    def _decimals(self) -> dict[str, Any]:
        return {
            field.name: field.verbose_name
            for field in self.model._meta.fields
            if isinstance(field, DecimalField)
        }


class FactAdmin(FastListAdmin):
    """Rows that record what happened: to be read, never added, changed or deleted by hand."""

    change_form_template = "admin/fact.html"

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


@cache
def _column(name: str, title: str, show: Show) -> Callable[[Model], str]:
    @admin.display(description=title)
    def column(row: Model) -> str:
        return show(getattr(row, name))

    column.__name__ = f"number_{name}"  # its class in the page: numbers stand to the right
    return column


def pretty(value: Any) -> SafeString:
    """Show JSON as indented text; whatever is in it stays text."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return format_html('<pre class="petrosa-code">{}</pre>', text)
