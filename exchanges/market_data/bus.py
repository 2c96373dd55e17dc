"""How market data travels on core NATS: subjects and the envelope.

A frame goes out as the venue sent it, in Binance's combined-stream envelope with one field more:

    {"stream": "btcusdt@trade", "data": {...}, "received_ms": 1723161253912}

`received_ms` is our clock in epoch ms when the frame came in. A recording's frame that has no time
of its own carries `event_ms` too: the recording's time, so that nobody needs ours. The subject is

    <topic>.<exchange>.<market>.<environment>.<SYMBOL>.<kind>
    binance.websocket.data.binance.spot.simulator.BTCUSDT.trade

so that a process can take whole symbols: a queue group would scatter one symbol's frames over
several processes and break every rolling window. `<topic>` is NATS_CONSUMER_TOPIC.
"""

from __future__ import annotations

import re
from enum import StrEnum

from exchanges.domain.venues import Venue

_ENDING = re.compile(
    r"(?P<best>bookTicker)|(?P<trade>trade)|(?P<agg_trade>aggTrade)|(?P<ticker>ticker)"
    r"|(?P<mini_ticker>miniTicker)|(?P<depth>depth(?:5|10|20)(?:@\d+ms)?)|(?P<diff>depth(?:@\d+ms)?)"
    r"|(?P<kline>kline_\w+)|(?P<mark>markPrice(?:@1s)?)"
)


class Kind(StrEnum):
    """What a frame tells."""

    BEST = "best"  # best bid and ask
    DEPTH = "depth"  # the top of the book, whole
    DIFF = "diff"  # changes of the book
    TRADE = "trade"
    AGG_TRADE = "agg_trade"
    TICKER = "ticker"
    MINI_TICKER = "mini_ticker"
    KLINE = "kline"
    MARK = "mark"


class UnknownStream(ValueError):
    """A stream name that carries none of our kinds."""


def kind_of(stream: str) -> Kind:
    """Return what a stream carries, by its name (`btcusdt@depth20@100ms`). Raise UnknownStream."""
    found = _ENDING.fullmatch(stream.partition("@")[2])
    if found is None or found.lastgroup is None:
        raise UnknownStream(f"{stream!r} is none of our streams")
    return Kind(found.lastgroup)


def symbol_of(stream: str) -> str:
    """Return the symbol a stream tells of, in the venue's spelling."""
    return stream.partition("@")[0].upper()


def subject(topic: str, venue: Venue, symbol: str, kind: Kind | str) -> str:
    """Return where frames go; `*` stands for any one part, in `kind` `>` for all."""
    return f"{topic}.{venue}.{symbol}.{kind}"


def enveloped(stream: str, data: bytes, received_ms: int, event_ms: int | None = None) -> bytes:
    """Return the bytes that travel; `data` is the frame's JSON as it came."""
    dated = b"" if event_ms is None else b',"event_ms":%d' % event_ms
    head = b'{"stream":"%b","data":%b,"received_ms":%d' % (stream.encode(), data, received_ms)
    return head + dated + b"}"
