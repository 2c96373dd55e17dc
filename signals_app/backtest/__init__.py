"""A strategy, the risk rules and the matching engine put to the past. Pure: no Django, no I/O.

`candles.run` and `ticks.run` take a setup and what the market did, and return a `Result`;
`metrics` says what it came to, `sweep` tries many parameters. docs/backtests.md says what is
modelled and what is not.
"""
