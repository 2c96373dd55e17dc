import subprocess
import sys

import pytest
from rest_framework.test import APIClient

from tests import processes

pytestmark = pytest.mark.django_db

COUNT_IN_A_CHILD = (
    "import django; django.setup();"
    "from foundation import metrics; metrics.NATS_MESSAGES.labels(outcome='from_a_child').inc(3)"
)


def count_in_a_child():
    env = processes.environment(DJANGO_SETTINGS_MODULE="petrosa_site.settings")
    subprocess.run([sys.executable, "-c", COUNT_IN_A_CHILD], env=env, check=True)


def test_a_count_made_in_another_process_appears(anonymous_client):
    count_in_a_child()
    count_in_a_child()
    text = anonymous_client.get("/metrics").content.decode()
    line = 'tradeengine_nats_messages_processed_total{outcome="from_a_child"} 6.0'
    assert line in text


def test_the_four_names_of_the_old_engine_are_there(anonymous_client):
    from foundation import metrics

    metrics.TRADES.labels(status="filled", type="market").inc()
    metrics.ERRORS.labels(type="test").inc()
    metrics.LATENCY.labels(stage="test").observe(0.01)
    metrics.NATS_MESSAGES.labels(outcome="stored").inc()
    text = anonymous_client.get("/metrics").content.decode()
    for name in (
        "tradeengine_trades_total",
        "tradeengine_errors_total",
        "tradeengine_latency_seconds",
        "tradeengine_nats_messages_processed_total",
    ):
        assert f"# TYPE {name} " in text


def test_closed_metrics_ask_who_you_are(anonymous_client, settings):
    settings.METRICS_OPEN = False
    assert anonymous_client.get("/metrics").status_code == 401


def test_closed_metrics_answer_a_token(operator, settings):
    from rest_framework.authtoken.models import Token

    settings.METRICS_OPEN = False
    client = APIClient(
        headers={"Authorization": f"Token {Token.objects.create(user=operator).key}"}
    )
    assert client.get("/metrics").status_code == 200
