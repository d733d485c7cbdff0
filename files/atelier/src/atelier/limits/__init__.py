"""Limits on requests, connections and log lines."""
