"""Processes that choose ports side by side never choose the same."""

import socket
import subprocess
import sys

import pytest

from petrosa_site.stack import ports


@pytest.fixture
def block():
    block = ports.Block()
    yield block
    block.release()


def listening(port):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
    server.bind((ports.HOST, port))
    server.listen()
    return server


def test_two_blocks_share_no_port(block):
    other = ports.Block()
    assert not {block.next() for _ in range(150)} & {other.next() for _ in range(150)}
    other.release()


def test_another_process_has_another_block(block):
    code = "from petrosa_site.stack import ports; print(ports.free_port())"
    theirs = int(subprocess.check_output([sys.executable, "-c", code]))
    assert abs(theirs - block.next()) >= ports.BLOCK / 2


def test_a_port_is_given_out_once(block):
    given = [block.next() for _ in range(150)]
    assert len(set(given)) == 150


def test_a_port_in_use_is_left_out(block):
    first = block.next()
    with listening(first + 1):
        assert block.next() == first + 2


def test_ports_lie_below_those_of_outgoing_connections(block):
    assert 20_000 < block.next() < 32_768


def test_a_full_block_says_so(block, monkeypatch):
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    with pytest.raises(ports.NoneFree, match="all 200 ports"):
        block.next()


def test_the_next_port_upwards_replaces_a_taken_one(block):
    taken = block.next()
    with listening(taken):
        assert ports.free_port_from(taken) > taken
    assert ports.free_port_from(taken) == taken


def test_no_free_port_upwards_names_the_range(block):
    taken = block.next()
    with listening(taken), pytest.raises(ports.NoneFree, match=f"from {taken} to {taken}"):
        ports.free_port_from(taken, tries=1)


def test_a_port_chosen_for_another_server_is_left_out(block):
    chosen = block.next()
    assert ports.free_port_from(chosen, besides=[chosen]) > chosen
