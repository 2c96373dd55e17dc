"""What a person must have been given before a door opens. Reading needs a login, nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF reads its settings, and so this file, while it makes APIView
    from rest_framework.views import APIView


def needs(permission: str) -> type[BasePermission]:
    """Return a permission class that asks for one Django permission, such as trading.trade."""

    class Needs(BasePermission):
        message = f"This needs the permission {permission}: ask an administrator."

        def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
            return bool(request.user and request.user.has_perm(permission))

    return Needs
