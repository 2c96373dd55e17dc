import http.client
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect
from websockets.typing import Origin

from petrosa_site.stack.ports import free_port
from tests import processes

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def serving(tmp_path):
    port = free_port()
    log = tmp_path / "web.log"
    with processes.manage("serve", "--host", "127.0.0.1", "--port", str(port), log=log) as web:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and web.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        assert web.poll() is None, log.read_text()
        yield web, port


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response, text


def test_one_port_serves_pages_sockets_and_refuses_what_is_too_large(tmp_path):
    with serving(tmp_path) as (web, port):
        response, text = ask(port, "GET", "/desk/login/")
        assert response.status == 200
        assert b"csrfmiddlewaretoken" in text

        response, _ = ask(port, "POST", "/desk/login/", b"x" * (3 * 1024 * 1024))
        assert response.status == 403  # read whole, then refused by the CSRF check

        response, text = ask(port, "POST", "/x", b"", {"Content-Length": str(50 * 1024 * 1024)})
        assert response.status == 413
        assert b"BODY_TOO_LARGE" in text

        with pytest.raises(InvalidHandshake):
            connect(f"ws://127.0.0.1:{port}/no/such/socket", origin=Origin("http://127.0.0.1"))

        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(b"not http at all\r\n\r\n")
            assert b" 400 " in raw.recv(1000)

        web.send_signal(signal.SIGTERM)
        web.wait(10)


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)],
            env=processes.environment(),
            cwd=processes.ROOT,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
    assert done.returncode != 0
    assert f"web cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "API_PORT" in done.stderr
