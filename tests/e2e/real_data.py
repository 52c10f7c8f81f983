"""The real data that some tests want, and plain DuckDB to compare with. Both are optional: a test without them skips and says so."""
import gzip
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = pathlib.Path(os.environ.get("TARN_DATA", ROOT.parent / "shared" / "data"))


def data_file(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not there (TARN_DATA names the folder)")
    return path


def unpacked(name, folder):
    target = folder / pathlib.Path(name).name.removesuffix(".gz")
    target.write_bytes(gzip.decompress(data_file(name).read_bytes()))
    return target


def plain_duckdb(sql):
    """Rows of plain DuckDB, from the test environment's own copy."""
    python = pathlib.Path(os.environ.get("TARN_VENV", ROOT / ".venv")) / "bin" / "python"
    if not python.exists():
        pytest.skip("plain DuckDB is in .venv, which ./x setup makes")
    code = "import duckdb, json, sys; print(json.dumps(duckdb.sql(sys.argv[1]).fetchall(), default=str))"
    done = subprocess.run([str(python), "-c", code, sql], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [tuple(row) for row in json.loads(done.stdout)]
