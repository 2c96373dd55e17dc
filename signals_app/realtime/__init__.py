"""The process that runs the realtime strategies: frames in from NATS, signals out, each once."""
