"""The venue is killed between taking an order and answering, and comes back with its own books."""

from __future__ import annotations

import time

import pytest

from tests.chaos import flow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
COUNT = 160


def test_books_are_equal_after_the_venue_was_killed_and_started_again(tmp_path, tell):
    with flow.under_way(tmp_path, "venue", COUNT) as running:
        for share in (0.2, 0.4, 0.6):
            running.reach(share)
            running.product.venue.kill()
            time.sleep(2)
            running.product.venue.start()
        figures = running.settle()
    tell(**figures)
    assert figures["FILLED"] >= COUNT * 0.5
