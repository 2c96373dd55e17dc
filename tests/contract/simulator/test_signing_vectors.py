"""The venue's published signing examples."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

from exchanges.venues.simulator import signing

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
REST = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
STAMP = "recvWindow=5000&timestamp=1499827319559"


def test_it_signs_the_published_example() -> None:
    payload = f"symbol=LTCBTC&{REST}&{STAMP}"
    assert (
        signing.sign(SECRET, payload)
        == "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )


def test_it_signs_a_percent_encoded_symbol() -> None:
    payload = f"symbol={quote('１２３４５６')}&{REST}&{STAMP}"
    assert (
        signing.sign(SECRET, payload)
        == "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
    )


def test_query_and_body_are_joined_without_a_separator() -> None:
    query, body = f"symbol=LTCBTC&{REST}", f"{STAMP}&signature=abc"
    assert signing.signed_payload(query, body) == f"symbol=LTCBTC&{REST}{STAMP}"


def test_the_signature_is_left_out_wherever_it_stands() -> None:
    assert signing.signed_payload("a=1&signature=x&b=2", "") == "a=1&b=2"


def test_a_socket_request_is_signed_sorted_by_name() -> None:
    params = {"timestamp": 7, "apiKey": "k", "signature": "x", "recvWindow": 5000}
    assert signing.socket_payload(params) == "apiKey=k&recvWindow=5000&timestamp=7"


def test_the_signature_is_plain_hmac_sha256() -> None:
    expected = hmac.new(b"secret", b"payload", hashlib.sha256).hexdigest()
    assert signing.sign("secret", "payload") == expected
