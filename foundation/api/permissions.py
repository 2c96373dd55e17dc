"""What a person must have been given before a door opens. Reading needs a login, nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF reads its settings, and so this file, while it makes APIView
    from rest_framework.views import APIView


def needs(permission: str) -> type[BasePermission]:
    """Return a permission class that asks for one Django permission, such as trading.trade."""
    return needs_one_of(permission)


def needs_one_of(*permissions: str) -> type[BasePermission]:
    """Return a permission class that is content with any of the permissions."""

    class Needs(BasePermission):
        message = f"This needs the permission {' or '.join(permissions)}: ask an administrator."

        def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
            return bool(request.user and any(map(request.user.has_perm, permissions)))

    return Needs
