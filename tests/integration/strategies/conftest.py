import uuid

import pytest


@pytest.fixture(autouse=True)
def _own_subjects(settings):
    settings.NATS_SIGNAL_SUBJECT = f"signals.test.{uuid.uuid4().hex}"
    settings.NATS_SHADOW_SUBJECT = f"signals.shadow.test.{uuid.uuid4().hex}"
