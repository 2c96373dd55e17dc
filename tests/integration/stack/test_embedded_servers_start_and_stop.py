import os

import nats
import pytest
import redis
from django.conf import settings

from petrosa_site.stack import servers


def test_a_redis_starts_answers_and_stops(tmp_path):
    with servers.started(lambda: servers.redis_server(tmp_path)) as server:
        client = redis.Redis.from_url(server.url)
        assert client.set("a", "1")
        client.close()
    assert not server.answers(server.port)


def test_a_redis_that_keeps_data_has_it_after_a_restart(tmp_path):
    server = servers.started(lambda: servers.redis_server(tmp_path))
    with server, redis.Redis.from_url(server.url) as client:
        client.set("kept", "yes")
    with server.start(), redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"


async def test_a_nats_keeps_its_stream_after_a_crash(tmp_path):
    server = servers.started(lambda: servers.nats_server(tmp_path))
    client = await nats.connect(server.url)
    await client.jetstream().add_stream(name="TRADING", subjects=["signals.>"])
    await client.jetstream().publish("signals.trading", b"hello")
    await client.close()
    server.kill()
    with server.start():
        client = await nats.connect(server.url)
        info = await client.jetstream().stream_info("TRADING")
        assert info.state.messages == 1
        await client.close()


def test_a_server_that_cannot_start_says_why(tmp_path):
    with servers.started(lambda: servers.redis_server(tmp_path / "first")) as first:
        second = servers.redis_server(tmp_path / "second", port=first.port)
        second.answers = lambda port: False
        with pytest.raises(servers.ServerFailed, match="did not answer on"):
            second.start(timeout=3)
    assert second.process is None


def test_tests_talk_to_servers_of_their_own():
    assert os.environ["REDIS_URL"] == settings.REDIS_URL
    assert not settings.REDIS_URL.endswith(":6379/0")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.ping()


@pytest.mark.parametrize("make", [servers.redis_server, servers.nats_server])
def test_what_another_server_answers_on_the_same_port_is_not_taken_for_ours(tmp_path, make):
    with servers.started(lambda: make(tmp_path / "theirs")) as theirs:
        assert theirs.answers(theirs.port)
        ours = make(tmp_path / "ours", port=theirs.port)
        assert not ours.answers(theirs.port)
        with pytest.raises(servers.ServerFailed):
            ours.start(timeout=2)
