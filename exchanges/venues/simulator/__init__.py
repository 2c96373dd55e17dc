"""A local venue that speaks Binance's spot protocol: REST, WebSocket API and market streams.

`python -m exchanges.venues.simulator --help` or `manage.py run_simulator` starts it;
`process.SimulatorProcess` starts it for a test. A request passes `app` (HTTP) or `socket_api`, then
`front` (limits, identity, faults), then an endpoint, which calls the matching engine
(`exchanges.matching`). What the engine reports goes through `venue.absorb` to the `store`
and to the streams. Prices come from `prices`; drills are driven through `control`.
"""
