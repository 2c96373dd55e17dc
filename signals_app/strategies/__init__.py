"""Our own strategies: plain Python that turns market data into what a strategy says.

Nothing here knows Django, reads a clock or does I/O: the same classes run live and in backtests.
"""
