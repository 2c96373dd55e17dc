"""Talk to the REST API with nothing but the standard library; the other examples use it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any


def arguments(description: str) -> argparse.Namespace:
    """Return --url and --token, from the command line or from the environment."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--url",
        default=os.environ.get("PETROSA_URL", "http://127.0.0.1:8000"),
        help="where the web process listens (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        default=os.environ.get("PETROSA_TOKEN", ""),
        help="API token; `make run` prints the first operator's once, the admin makes others",
    )
    options = parser.parse_args()
    if not options.token:
        parser.error("a token is needed: --token or PETROSA_TOKEN")
    return options


def call(
    options: argparse.Namespace, method: str, path: str, body: dict[str, Any] | None = None
) -> tuple[int, Any]:
    """Return (HTTP status, decoded JSON). Refusals are answers; only silence ends the program."""
    request = urllib.request.Request(
        options.url.rstrip("/") + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Token {options.token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        try:
            return error.code, json.load(error)
        except json.JSONDecodeError:
            return error.code, {"detail": error.reason}
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"No answer from {options.url}: {getattr(error, 'reason', error)}")
