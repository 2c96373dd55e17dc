"""Shapes for the API description only: no request ever instantiates these."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class ProblemDocument(serializers.Serializer[object]):
    """RFC 9457; more members may follow, such as limit, actual, venue_code, errors."""

    type = serializers.CharField(help_text="urn:petrosa:problem:... names the kind.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="For programs, such as CONFIDENCE_BELOW_MIN.")
    field = serializers.CharField(required=False, help_text="The field at fault.")
    differs_in = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="What a reused id clashes in."
    )
    signal_uid = serializers.CharField(required=False)
    decision = serializers.CharField(required=False, help_text="Where every verdict is listed.")
    rule = serializers.CharField(required=False)
    limit = serializers.CharField(required=False)
    actual = serializers.CharField(required=False)
    venue_code = serializers.IntegerField(required=False, help_text="The venue's own number.")
    reason_code = serializers.CharField(
        required=False,
        help_text="The refusal's name, such as INSUFFICIENT_BALANCE, else the venue's number.",
    )
    follow = serializers.CharField(required=False, help_text="Where the whole story is.")


def problem(description: str) -> OpenApiResponse:
    return OpenApiResponse(ProblemDocument, description=description)


PROBLEM_RESPONSES = {
    "401": "No or wrong credentials.",
    "403": "Without the permission this needs.",
    "429": "Too many requests; Retry-After says when to come again.",
    "503": "Something this needs is not available.",
}
