"""One entry, one verdict: preflight, role, module, hub and invitation agree on every row."""

from __future__ import annotations

from collections import Counter

import pytest
from unit.schema.sides import SIDES, preflight, role
from unit.schema.table import GOOD, Row, rows

ROWS = rows()
every_row = pytest.mark.parametrize("row", ROWS, ids=[str(number) for number in range(len(ROWS))])


@every_row
def test_every_side_comes_to_the_verdict_of_the_row(row: Row) -> None:
    said = {name: side(row) for name, side in SIDES.items() if side is not role}
    right = {name: not text for name, text in said.items() if text is not None}
    assert right == dict.fromkeys(right, row.right), f"{row.name}: {said}"


@pytest.mark.long
@every_row
def test_role_and_preflight_come_to_the_verdict_of_the_row(row: Row) -> None:
    said = {"role": role(row), "preflight": preflight(row)}
    right = {name: not text for name, text in said.items() if text is not None}
    assert right == dict.fromkeys(right, row.right), f"{row.name}: {said}"


def test_the_table_is_wide_and_most_rows_are_judged_by_several() -> None:
    seen = Counter((row.kind, row.right) for row in ROWS)
    assert sum(seen.values()) > 700
    assert min(seen[kind, right] for kind in GOOD for right in (True, False)) > 50
