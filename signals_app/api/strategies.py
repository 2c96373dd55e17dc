"""Our own strategies over the API: what each is, how it runs, and changing that on record."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers as drf
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.documents import problem
from foundation.api.permissions import needs
from foundation.api.problems import Problem
from signals_app.api.named_fields import NamedFieldsSerializer
from signals_app.models import StrategySetting
from signals_app.services import strategy_settings
from signals_app.services.strategy_settings import ChangedMeanwhile, Setting, UnknownStrategy, Wish
from signals_app.strategies.spec import Kind
from trading.api import filters


class ParamSerializer(drf.Serializer[Any]):
    name = drf.CharField()
    value = drf.FloatField(help_text="What holds now.")
    default = drf.FloatField(help_text="The catalogue's.")
    minimum = drf.FloatField()
    maximum = drf.FloatField()
    unit = drf.CharField()
    meaning = drf.CharField()
    is_whole = drf.BooleanField()


class StrategySerializer(drf.Serializer[Any]):
    strategy_id = drf.CharField()
    title = drf.CharField()
    kind = drf.ChoiceField([str(kind) for kind in Kind])
    family = drf.CharField()
    formula = drf.CharField()
    reference = drf.CharField(allow_blank=True)
    mode = drf.ChoiceField(StrategySetting.Mode.choices)
    symbols = drf.ListField(child=drf.CharField())
    timeframes = drf.ListField(child=drf.CharField())
    params = ParamSerializer(many=True)
    presets = drf.DictField(child=drf.DictField(child=drf.FloatField()))
    version = drf.IntegerField(help_text="Rises with each change; signals tell it.")


class StrategyWishSerializer(NamedFieldsSerializer):
    """What is left out stays as it is."""

    mode = drf.ChoiceField(StrategySetting.Mode.choices, required=False)
    symbols = drf.ListField(
        child=drf.CharField(max_length=32),
        required=False,
        max_length=500,
        help_text="Empty: TRADING_SYMBOLS.",
    )
    timeframes = drf.ListField(
        child=drf.CharField(max_length=8),
        required=False,
        max_length=20,
        help_text="Of technical strategies only; empty: the strategy's own.",
    )
    params = drf.DictField(
        child=drf.FloatField(allow_null=True),
        required=False,
        help_text="Those to change; null puts one back to the catalogue's value.",
    )
    version = drf.IntegerField(
        required=False,
        min_value=1,
        help_text="The one you looked at: refused with 409 when it no longer holds.",
    )
    reason = drf.CharField(max_length=500)


class StrategiesView(APIView):
    """Every strategy of our own, in the catalogue's order."""

    @extend_schema(
        operation_id="strategies_list",
        tags=["strategies"],
        responses={200: StrategySerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        filters.only(request)
        settings = [one for kind in Kind for one in strategy_settings.every(kind)]
        return Response([told(one) for one in settings])


class StrategyView(APIView):
    """One strategy: how it runs, and changing that."""

    def get_permissions(self) -> Any:
        if self.request.method == "PATCH":
            return [needs("signals_app.change_strategysetting")()]
        return super().get_permissions()

    @extend_schema(
        operation_id="strategies_retrieve",
        tags=["strategies"],
        responses={200: StrategySerializer, 404: problem("No such strategy.")},
    )
    def get(self, request: Request, strategy_id: str) -> Response:
        filters.only(request)
        try:
            return Response(told(strategy_settings.of(strategy_id)))
        except UnknownStrategy as error:
            raise Http404(f"{error}.") from None

    @extend_schema(
        operation_id="strategies_change",
        tags=["strategies"],
        request=StrategyWishSerializer,
        responses={
            200: StrategySerializer,
            400: problem("A value that cannot be; `field` names it."),
            404: problem("No such strategy."),
            409: problem("Changed meanwhile: `version` is not the one that holds."),
        },
        description="Takes effect within seconds. Needs `signals_app.change_strategysetting`.",
        examples=[
            OpenApiExample(
                "shadow",
                {"mode": "shadow", "reason": "to be watched for a week"},
                request_only=True,
            )
        ],
    )
    def patch(self, request: Request, strategy_id: str) -> Response:
        asked = StrategyWishSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        wish = Wish(
            mode=data.get("mode"),
            symbols=data.get("symbols"),
            timeframes=data.get("timeframes"),
            params=data.get("params"),
        )
        try:
            changed = strategy_settings.change(
                strategy_id=strategy_id,
                wish=wish,
                reason=data["reason"],
                actor=request.user.get_username(),
                version=data.get("version"),
            )
        except ChangedMeanwhile as error:
            raise Problem(
                409, "CHANGED_MEANWHILE", f"{strategy_id} was {error}.", field="version"
            ) from None
        except UnknownStrategy as error:
            raise Http404(f"{error}.") from None
        except ValidationError as error:
            field, words = next(iter(error.message_dict.items()))
            raise Problem(400, "INVALID", f"{field}: {' '.join(words)}", field=field) from None
        return Response(told(changed))


def told(setting: Setting) -> dict[str, Any]:
    spec = setting.spec
    return {
        "strategy_id": spec.strategy_id,
        "title": spec.title,
        "kind": str(spec.kind),
        "family": str(spec.family),
        "formula": spec.formula,
        "reference": spec.reference,
        "mode": setting.mode,
        "symbols": list(setting.symbols),
        "timeframes": list(setting.timeframes),
        "params": [
            {
                "name": param.name,
                "value": setting.params[param.name],
                "default": param.default,
                "minimum": param.minimum,
                "maximum": param.maximum,
                "unit": param.unit,
                "meaning": param.meaning,
                "is_whole": param.is_whole,
            }
            for param in spec.params
        ],
        "presets": {name: dict(values) for name, values in spec.presets.items()},
        "version": setting.version,
    }
