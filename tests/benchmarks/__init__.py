"""Figures of the running demo beside the stock parts, measured in the same run: `make bench`."""
