import sys
from collections import Counter


def test_dis():
    from unit.schema.sides import SIDES
    from unit.schema.table import rows

    n = Counter()
    bad = []
    for row in rows():
        v = {}
        for name, side in SIDES.items():
            try:
                r = side(row)
            except Exception as e:
                r = f"CRASH {type(e).__name__} {e}"[:150]
            if r is None:
                continue
            v[name] = r == ""
            if (r == "") != row.right or r.startswith("CRASH"):
                n[name] += 1
                bad.append((row.name, row.right, name, r[:160]))
        if len(set(v.values())) > 1:
            n["rows that disagree"] += 1
    with open("/tmp/dis.txt", "w") as f:
        for b in bad:
            f.write(repr(b) + "\n")
    print(n, file=sys.stderr)
