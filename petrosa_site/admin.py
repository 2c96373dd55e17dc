"""People, their groups and their API tokens: changed on record, and by superusers where it counts.

`auth.change_user` and the rights on tokens are for the daily care of accounts. They let nobody
rise: what a person may do, and the credentials of whoever may do more, are for superusers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from rest_framework.authtoken.admin import TokenAdmin as DrfTokenAdmin
from rest_framework.authtoken.models import Token, TokenProxy
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from audit import trail
from petrosa_site import people

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(TokenProxy)

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
Person = User | Group | Token


class OnRecord:
    """Writes to the trail what Django writes to its own log, which can be edited.

    Both and the change are one transaction: no right is given without its line.
    """

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():  # its actions are not by themselves
            answer: HttpResponse = super().changelist_view(request, *args, **kwargs)  # type: ignore[misc]
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        if change:
            stored = type(obj)._default_manager.get(pk=obj.pk)
            request.as_it_stood = people.as_it_stands(stored)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        entry: LogEntry = super().log_addition(request, obj, message)  # type: ignore[misc]
        self._record(request, obj, "added", after=people.as_it_stands(obj))
        return entry

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        entry: LogEntry = super().log_change(request, obj, message)  # type: ignore[misc]
        before = getattr(request, "as_it_stood", None)
        more = {"before": before, "after": people.as_it_stands(obj)} if before else {}
        self._record(request, obj, "changed", changes=entry.get_change_message(), **more)
        return entry

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> list[LogEntry]:
        entries: list[LogEntry] = super().log_deletions(request, queryset)  # type: ignore[misc]
        for obj in queryset:
            self._record(request, obj, "deleted", before=people.as_it_stands(obj))
        return entries

    def _record(self, request: HttpRequest, obj: Person, what: str, **data: Any) -> None:
        kind, key = people.subject_of(obj)
        entry = trail.Entry(
            kind=f"{kind}.{what}",
            actor=request.user.get_username(),
            subject_type=kind,
            subject_id=key,
            data={"name": str(obj), **people.whence(request), **data},
        )
        with transaction.atomic():
            trail.record(entry)


@admin.register(User)
class UserAdmin(OnRecord, DjangoUserAdmin, ModelAdmin):  # type: ignore[misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            return super().user_change_password(request, *args, **kwargs)

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[str] | tuple[Any, ...]:
        given = super().get_readonly_fields(request, obj)
        return given if request.user.is_superuser else (*given, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _may_do_more(obj, request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _may_do_more(obj, request)


def _may_do_more(person: User | None, request: HttpRequest) -> bool:
    """Say whether a person may do anything that the asking one may not."""
    if person is None or request.user.is_superuser:
        return False
    # A person who is switched off has no rights now, and all of them when switched on again.
    rights = User(pk=person.pk, is_active=True, is_superuser=person.is_superuser)
    return person.is_superuser or not (
        rights.get_all_permissions() <= request.user.get_all_permissions()
    )


@admin.register(Group)
class GroupAdmin(OnRecord, DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """A group is rights: whoever changes one could give them to themselves."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002
        return bool(request.user.is_superuser)


@admin.register(TokenProxy)
class TokenAdmin(OnRecord, DrfTokenAdmin, ModelAdmin):  # type: ignore[misc]
    """Whose tokens there are and since when. A key is shown to its owner alone, by the API."""

    list_display = ("user", "created")
    list_filter = ()
    readonly_fields = ("created",)

    def get_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: TokenProxy | None = None,
    ) -> tuple[str, ...]:
        return ("user", "created") if obj else ("user",)

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: TokenProxy | None = None,  # noqa: ARG002
    ) -> bool:
        return False  # a key that changes hands would open another's doors to whoever knows it

    def has_delete_permission(self, request: HttpRequest, obj: TokenProxy | None = None) -> bool:
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and not (obj is not None and _may_do_more(obj.user, request))
