"""The simulator as a real subprocess on a free port, for tests and benchmarks."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from exchanges.venues.simulator.config import DEFAULT_KEY, DEFAULT_SECRET

READY = re.compile(r"listening on (http://\S+)")
ROOT = Path(__file__).resolve().parents[3]


class SimulatorDidNotStart(RuntimeError):
    """The process ended, or did not answer in time; carries what it wrote."""


class SimulatorProcess:
    """A simulator that lives as long as the `with` block.

    `with SimulatorProcess(faults=True, prices="still") as venue:` then use `venue.rest_url` and
    friends. `kill()` is SIGKILL, `stop()` SIGTERM, `restart()` starts it anew on the same port
    with the same state file. Extra command line arguments go in `arguments`.
    """

    def __init__(
        self,
        *,
        prices: str = "synthetic",
        faults: bool = False,
        unlimited: bool = True,
        state_file: Path | None = None,
        api_key: str = DEFAULT_KEY,
        api_secret: str = DEFAULT_SECRET,
        port: int = 0,
        arguments: Sequence[str] = (),
        start_seconds: float = 90.0,
    ) -> None:
        self.api_key = api_key
        self.api_secret = api_secret
        self.port = port
        self._start_seconds = start_seconds
        self._arguments = ["--prices", prices, "--api-key", api_key, "--api-secret", api_secret]
        self._arguments += ["--faults"] if faults else []
        self._arguments += ["--unlimited"] if unlimited else []
        self._arguments += ["--state-file", str(state_file)] if state_file else []
        self._arguments += arguments
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def rest_url(self) -> str:
        """What clients append `/v3/...` to."""
        return f"{self.base_url}/api"

    @property
    def ws_api_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws-api/v3"

    @property
    def stream_url(self) -> str:
        """What clients append `/ws/<stream>` or `/stream?streams=` to."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def control_url(self) -> str:
        return f"{self.base_url}/control"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> SimulatorProcess:
        return self.start()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> SimulatorProcess:
        """Start and wait until it answers. Raises SimulatorDidNotStart."""
        command = [sys.executable, "-m", "exchanges.venues.simulator", "--port", str(self.port)]
        # Kept open as long as the process lives: it is its standard error.
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command + self._arguments,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._wait_until_ready()
        return self

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(self._start_seconds, self._process.kill)
        watchdog.start()
        try:
            for line in self._process.stdout:
                if found := READY.search(line):
                    self.port = int(found[1].rpartition(":")[2])
                    return
        finally:
            watchdog.cancel()
        raise SimulatorDidNotStart(self.errors())

    def errors(self) -> str:
        """Return what the process has written to its standard error."""
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read()

    def stop(self) -> None:
        """End it in good order (SIGTERM), or by force when it does not listen."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without warning (SIGKILL), as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self._log is not None:
            self._log.close()
        self._process = self._log = None

    def restart(self) -> None:
        """Stop when running, then start on the same port with the same state file."""
        self.stop()
        self.start()

    def control(
        self, path: str, wish: Mapping[str, Any] | None = None, *, method: str | None = None
    ) -> Any:
        """Call `/control/<path>`: POST with a wish, else GET (or `method`). Returns the JSON."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.control_url}/{path}",
            data=None if wish is None else json.dumps(wish).encode(),
            method=method or ("GET" if wish is None else "POST"),
            headers={"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as reply:
            return json.loads(reply.read())

    def reset(self) -> None:
        """Forget orders, trades, balances, faults, jumps and skew. Needs `faults=True`."""
        self.control("reset", {})

    def fault(self, kind: str, **wish: Any) -> Any:
        """Ask for a fault: `venue.fault("drop_reply", path="/api/v3/order", count=1)`."""
        return self.control("faults", {"kind": kind, **wish})
