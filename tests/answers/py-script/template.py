"""Convert the measurements of data/raw.csv to degrees Celsius."""

import csv
import json  # noqa: F401
from pathlib import Path


def to_celsius(fahrenheit):
    """Convert degrees Fahrenheit to degrees Celsius."""


with Path("data/raw.csv").open(newline="") as handle:
    rows = list(csv.DictReader(handle))
