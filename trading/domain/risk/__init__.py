"""Pure risk assessment: `assess(intent, snapshot)` gives a verdict for every rule and a plan."""
