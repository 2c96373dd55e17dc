"""A port that was free at the look and is taken at the start: another one, or a plain refusal."""

import socket
import sys
import time
from dataclasses import replace

import pytest
from django.core.management import CommandError

from petrosa_site import env
from petrosa_site.stack import launch, ports, servers
from petrosa_site.stack.supervision import Program, Supervisor, socket_path


@pytest.fixture
def own_stack(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.REDIS_URL_GIVEN = settings.NATS_URL_GIVEN = False
    settings.EMBEDDED_REDIS_PORT = ports.free_port()
    settings.EMBEDDED_NATS_PORT = ports.free_port()
    settings.API_PORT = ports.free_port()
    launch.prepare_folders()
    return launch.plan()


@pytest.fixture
def supervisor():
    rpc = socket_path()
    supervisor = Supervisor(rpc.with_name("supervisord.conf"), rpc)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def take():
    """Listen on a port, as another program on this machine would."""
    taken = []

    def listen(port):
        taken.append(socket.create_server((ports.HOST, port)))

    yield listen
    for server in taken:
        server.close()


def test_embedded_servers_move_to_other_ports(own_stack, supervisor, take):
    said: list[str] = []
    for server in own_stack.embedded:
        take(server.port)
    began = time.monotonic()
    decided = launch.start_servers(supervisor, own_stack, said.append)
    assert time.monotonic() - began < 18
    assert all(server.answers(server.port) for server in decided.embedded)
    assert decided.environment["REDIS_URL"] == decided.embedded[0].url
    assert f"redis: port {own_stack.embedded[0].port} was taken before it started" in said[0]


def test_a_process_whose_port_is_taken_is_refused_by_name(own_stack, supervisor, take):
    web = Program("web", [sys.executable, "-c", "raise SystemExit('taken')"], env.BASE_DIR)
    listeners = tuple(listener for listener in own_stack.listeners if listener.role == "web")
    small = replace(own_stack, embedded=(), programs=(web,), listeners=listeners)
    launch.start_servers(supervisor, small, print)
    take(small.listeners[0].port)
    supervisor.run("web")
    with pytest.raises(CommandError, match=rf"API_PORT={small.listeners[0].port}: web cannot"):
        launch.wait_until_ready(supervisor, small)


def test_a_start_with_every_port_taken_ends_with_the_numbers(own_stack, settings, take):
    settings.EMBEDDED_REDIS_PORT = 65_536
    with pytest.raises(CommandError, match="EMBEDDED_REDIS_PORT: no port from 65536"):
        launch.plan()


@pytest.mark.parametrize("make", [servers.redis_server, servers.nats_server])
def test_a_server_is_started_on_another_port(tmp_path, take, make):
    lost = ports.free_port()
    take(lost)
    asked = iter([lost, lost, None])
    with servers.started(lambda: make(tmp_path, port=next(asked))) as server:
        assert server.port != lost


def test_a_server_that_fails_by_itself_is_not_started_again(tmp_path):
    def broken():
        made.append(servers.redis_server(tmp_path))
        made[-1].command.append("--no-such-option")
        return made[-1]

    made: list[servers.Server] = []
    with pytest.raises(servers.ServerFailed):
        servers.started(broken)
    assert len(made) == 1
