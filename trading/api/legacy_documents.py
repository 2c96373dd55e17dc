"""The answer of the older engine's endpoints, for the API description only."""

from __future__ import annotations

from rest_framework import serializers

from trading.models import Order

ORDER_STATUSES = Order._meta.get_field("status").choices


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
