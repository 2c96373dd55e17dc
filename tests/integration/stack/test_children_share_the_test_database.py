import subprocess
import sys

import pytest
from django.contrib.auth import get_user_model

from tests import processes

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_child_process_reads_what_the_test_committed():
    get_user_model().objects.create_user("ada")
    code = (
        "import django; django.setup();"
        "from django.contrib.auth import get_user_model as m; print(m().objects.get().username)"
    )
    env = processes.environment(DJANGO_SETTINGS_MODULE="petrosa_site.settings")
    out = subprocess.check_output([sys.executable, "-c", code], env=env, text=True)
    assert out.strip() == "ada"


def test_the_next_test_starts_empty():
    assert not get_user_model().objects.exists()
