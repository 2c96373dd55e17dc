"""Ways to the venues. `gateways.for_venue(environment, market)` is the one to call."""

from exchanges.gateways.registry import for_venue, standing_in, user_stream_for, warm, warm_soon

__all__ = ["for_venue", "standing_in", "user_stream_for", "warm", "warm_soon"]
