"""Ways to the venues: `registry.for_venue` is the one to call. Vendor words stay below here."""
