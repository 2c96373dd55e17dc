import urllib.request

import pytest
from django.conf import settings


@pytest.mark.usefixtures("simulator")
def test_settings_point_at_the_simulator_of_the_session():
    with urllib.request.urlopen(f"{settings.SIMULATOR_REST_URL}/api/v3/ping") as answer:
        assert answer.status == 200
