"""Shapes for the API description only: no request ever instantiates these."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from trading.models import Order

ORDER_STATUSES = Order._meta.get_field("status").choices


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


class LegacyResult(serializers.Serializer[object]):
    """An order with what it filled; money as JSON numbers, for older clients."""

    success = serializers.BooleanField()
    order_id = serializers.CharField(help_text="The venue's id, ours until it has given one.")
    client_order_id = serializers.CharField()
    status = serializers.CharField(
        help_text="open, pending, partially_filled, filled, canceled, expired, ... or unknown."
    )
    symbol = serializers.CharField()
    side = serializers.CharField()
    type = serializers.CharField()
    time_in_force = serializers.CharField(allow_null=True)
    amount = serializers.FloatField(help_text="Base units ordered.")
    quantity = serializers.FloatField(help_text="The same as amount.")
    filled_quantity = serializers.FloatField()
    price = serializers.FloatField(allow_null=True)
    stop_price = serializers.FloatField(allow_null=True)
    fill_price = serializers.FloatField(allow_null=True, help_text="Average over fills.")
    total_value = serializers.FloatField(help_text="Quote units traded.")
    fees = serializers.FloatField(
        allow_null=True,
        help_text="Quote value of all fees; null while one has no price or is not known yet.",
    )
    fees_by_asset = serializers.DictField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="The fees known so far; null when something filled and none is known yet.",
    )
    stop_loss = serializers.FloatField(allow_null=True)
    take_profit = serializers.FloatField(allow_null=True)
    simulated = serializers.BooleanField()
    environment = serializers.CharField()
    message = serializers.CharField()


def problem(description: str) -> OpenApiResponse:
    return OpenApiResponse(ProblemDocument, description=description)


PROBLEM_RESPONSES = {
    "401": "No or wrong credentials.",
    "403": "Without the permission this needs.",
    "429": "Too many requests; Retry-After says when to come again.",
    "503": "Something this needs is not available.",
}
