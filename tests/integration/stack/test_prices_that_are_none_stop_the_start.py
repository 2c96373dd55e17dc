from __future__ import annotations

import pytest
from django.core.management import CommandError

from petrosa_site.stack import launch


def test_nothing_is_started_and_the_file_is_named(settings, tmp_path):
    settings.SIMULATOR_PRICES = "replay:/nowhere/at/all.gz"
    settings.VAR_DIR = tmp_path
    with pytest.raises(CommandError, match=r"SIMULATOR_PRICES: /nowhere/at/all\.gz"):
        launch.run(print)
    assert not list(tmp_path.iterdir())
