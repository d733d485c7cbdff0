"""Convert the measurements of data/raw.csv to degrees Celsius."""

import csv
import json
from pathlib import Path


def to_celsius(fahrenheit):
    """Convert degrees Fahrenheit to degrees Celsius."""
    return (fahrenheit - 32) * 5 / 9


with Path("data/raw.csv").open(newline="") as handle:
    rows = [row for row in csv.DictReader(handle) if row["fahrenheit"] != "n/a"]
celsius = [to_celsius(float(row["fahrenheit"])) for row in rows]

results = Path("results")
results.mkdir(exist_ok=True)
with (results / "clean.csv").open("w", newline="") as handle:
    writer = csv.writer(handle)
    writer.writerow(["minute", "celsius"])
    writer.writerows(zip((row["minute"] for row in rows), celsius, strict=True))
summary = {"n": len(celsius), "mean": sum(celsius) / len(celsius), "max": max(celsius)}
(results / "summary.json").write_text(json.dumps(summary))
