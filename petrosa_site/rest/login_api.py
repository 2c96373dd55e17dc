"""Getting credentials by user name and password: a lasting token, or short-lived JWTs."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from foundation.api.documents import problem
from petrosa_site import people


class TokenAnswer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Send it as `Authorization: Token ...`.")


class TokenView(APIView):
    """One lasting token per person; deleting it locks out whoever holds it."""

    throttle_scope = "login"
    request: Request

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Look at no credentials when new ones are asked for: the old ones may be wrong."""
        request: HttpRequest | None = getattr(self, "request", None)
        if request is not None and request.method == "POST":
            return []
        return super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method == "POST" else [IsAuthenticated()]

    @extend_schema(
        operation_id="token_obtain",
        tags=["auth"],
        auth=[],
        request=AuthTokenSerializer,
        responses={200: TokenAnswer, 400: problem("Wrong name or password.")},
    )
    def post(self, request: Request) -> Response:
        given = AuthTokenSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        user = given.validated_data["user"]
        with transaction.atomic():
            token, made = Token.objects.get_or_create(user=user)
            people.logged_in(user, request, by="token", made=made)
        return Response({"token": token.key})

    @extend_schema(operation_id="token_revoke", tags=["auth"], request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        with transaction.atomic():
            Token.objects.filter(user__username=request.user.get_username()).delete()
            people.token_revoked(request)
        return Response(status=204)


@extend_schema(tags=["auth"])
class JwtView(TokenObtainPairView):
    """An access token for minutes and a refresh token for a day, for `Authorization: Bearer`."""

    throttle_scope = "login"

    def post(self, request: Request, *_args: Any, **_kwargs: Any) -> Response:
        given: Any = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        people.logged_in(given.user, request, by="jwt")
        return Response(given.validated_data)


@extend_schema(tags=["auth"])
class JwtRefreshView(TokenRefreshView):
    """A new access token for a refresh token."""

    throttle_scope = "login"
