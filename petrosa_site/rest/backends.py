"""Who may do what, asked of the database once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from foundation.statements import Select

NAMES = ("content_type__app_label", "codename")


@Select
def _everything() -> QuerySet[Permission, tuple[str, str]]:
    return Permission.objects.order_by().values_list(*NAMES)


@Select
def _granted(user_id: int) -> QuerySet[Permission, tuple[str, str]]:
    granted = Permission.objects.filter(Q(user=user_id) | Q(group__user=user_id))
    return granted.order_by().distinct().values_list(*NAMES)


class OneQueryBackend(ModelBackend):
    """Django's own backend, with a person's and their groups' permissions in one query.

    The trade endpoint asks this for every signal, so one query instead of two is felt.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "_perm_cache"):
            if user_obj.is_superuser:
                rows = _everything.rows()
            else:
                rows = _granted.rows(user_id=user_obj.pk)
            user_obj._perm_cache = {f"{app}.{codename}" for app, codename in rows}
        return set(user_obj._perm_cache)
