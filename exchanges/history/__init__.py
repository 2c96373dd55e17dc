"""Candles, funding rates and trades of the past: stored once, found whole, read fast."""
