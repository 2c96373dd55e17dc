"""History of prices over REST: read only."""
