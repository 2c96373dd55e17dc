"""Reproducible measurements: medians, p99 and ratios taken side by side in one run."""
