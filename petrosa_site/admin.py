"""People and their API tokens, in the look of the rest."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from rest_framework.authtoken.admin import TokenAdmin as DrfTokenAdmin
from rest_framework.authtoken.models import TokenProxy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(TokenProxy)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    pass


@admin.register(TokenProxy)
class TokenAdmin(DrfTokenAdmin, ModelAdmin):  # type: ignore[misc]
    """Keys are shown on the page of one token, never in the list that others look at too."""

    list_display = ("user", "beginning", "created")
    list_filter = ()
    readonly_fields = ("key",)

    @display(description="key")
    def beginning(self, token: TokenProxy) -> str:
        return f"{token.key[:6]}…"

    def get_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: TokenProxy | None = None,
    ) -> tuple[str, ...]:
        return ("user", "key") if obj else ("user",)
