"""Who holds a token, asked with one light query: the trade endpoint asks for every signal."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed

from foundation.statements import Select

# In the model's own order, as `from_db` wants them; the rest loads when asked for.
FIELDS = ("id", "is_superuser", "username", "is_staff", "is_active")


@Select
def _holder(key: str) -> QuerySet[Token, Any]:
    return Token.objects.filter(key=key).values_list(*(f"user__{name}" for name in FIELDS))


class LightTokenAuthentication(TokenAuthentication):
    """DRF's token authentication without composing its query again for every request."""

    def authenticate_credentials(self, key: str) -> tuple[User, Any]:
        values = _holder.first(key=key)
        if values is None:
            raise AuthenticationFailed("Invalid token.")
        user = User.from_db("default", FIELDS, values)
        if not user.is_active:
            raise AuthenticationFailed("This person is switched off.")
        return user, Token(key=key, user=user)
