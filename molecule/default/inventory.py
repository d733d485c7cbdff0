#!/usr/bin/env python3
"""Dynamic inventory: what `make demo` would write in .demo/vars.yml, for this scenario's server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from world import scenario

print(json.dumps({"_meta": {"hostvars": {}}, "all": {"vars": scenario.variables()}}))
