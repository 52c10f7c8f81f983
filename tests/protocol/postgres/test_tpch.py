"""TPC-H's 22 queries: the same rows as plain DuckDB over the tables' files, and by a user with a policy the same as root's views of it."""
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))


def test_same_rows_as_plain_duckdb(tarn_binary):
    if not (pathlib.Path(os.environ.get("TARN_VENV", ROOT / ".venv")) / "bin" / "python").exists():
        pytest.skip("plain DuckDB is in .venv, which ./x setup makes")
    from tpch import measure
    found, _ = measure(0.01, 0)
    for kind in ("plain", "governed"):
        assert len(found[kind]) == 22
        assert sum(one.rows > 0 for one in found[kind]) >= 18, "the data does not meet the queries"
