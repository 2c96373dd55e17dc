import threading
import time

import pytest

from petrosa_site.server import metrics
from petrosa_site.server.metrics import Scrape


class Renderer:
    """Counts renderings; each takes `seconds`."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.renderings = 0

    def __call__(self):
        self.renderings += 1
        time.sleep(self.seconds)
        return f"rendering {self.renderings}".encode()


def test_many_in_one_second_share_a_rendering():
    render = Renderer()
    scrape = Scrape(render, at_most_every=60)
    assert {scrape.text() for _ in range(50)} == {b"rendering 1"}


def test_the_next_second_has_its_own():
    render = Renderer()
    scrape = Scrape(render, at_most_every=0.05)
    scrape.text()
    time.sleep(0.06)
    assert scrape.text() == b"rendering 2"


def test_a_slow_rendering_is_made_less_often():
    render = Renderer(seconds=0.2)
    scrape = Scrape(render, at_most_every=0.01)
    scrape.text()
    time.sleep(0.1)
    assert scrape.text() == b"rendering 1"


def test_whoever_comes_during_a_rendering_gets_the_last_one():
    render = Renderer()
    scrape = Scrape(render, at_most_every=0.01)
    scrape.text()
    time.sleep(0.05)
    render.seconds = 1
    slow = threading.Thread(target=scrape.text)
    slow.start()
    time.sleep(0.1)
    began = time.monotonic()
    assert scrape.text() == b"rendering 1"
    assert time.monotonic() - began < 0.5
    slow.join()


def test_a_failed_rendering_is_tried_again():
    def render():
        raise OSError("disk")

    scrape = Scrape(render, at_most_every=60)
    for _ in range(2):
        with pytest.raises(OSError, match="disk"):
            scrape.text()


@pytest.mark.django_db
def test_too_many_from_one_address_are_told_when_to_come_again(anonymous_client, settings):
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "metrics": "3/day"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    answers = [anonymous_client.get("/metrics", REMOTE_ADDR="192.0.2.77") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0


@pytest.mark.django_db
def test_a_compressed_scrape_says_the_same(anonymous_client):
    import gzip

    metrics.SCRAPE.forget()
    plain = anonymous_client.get("/metrics")
    packed = anonymous_client.get("/metrics", HTTP_ACCEPT_ENCODING="gzip")
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert "Accept-Encoding" in plain["Vary"]
