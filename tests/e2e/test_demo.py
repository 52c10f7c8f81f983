"""The demo, smaller: it judges itself by counting every hop, and its exit code is what is tested."""
import pathlib
import subprocess
import sys

import postgres_server
import pytest

import real_data

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "examples" / "beverages" / "demo.py"
SMALL = ["--stores", "3", "--days", "150"]

pytestmark = pytest.mark.skipif(not postgres_server.available(), reason="the demo needs PostgreSQL's programs")


def run(command, seconds):
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def test_once_counts_every_hop_and_goes_on_from_there(tarn_binary, tmp_path):
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o755)  # PostgreSQL's processes are another user's when this is root
    out = run([DEMO, "--once", "--folder", tmp_path / "demo", *SMALL], 400)
    assert "every hop is complete" in out
    assert "signature checked: alert.opened" in out
    assert "#token=" in out
    again = run([DEMO, "--pull-the-plug", "--folder", tmp_path / "demo", *SMALL], 400)
    assert again.count("SIGKILL") == 5
    assert "every hop is complete" in again


@pytest.mark.long
def test_orange_juice_is_forecast_better_than_promised(tarn_binary, tmp_path):
    real_data.unpacked("orange_juice/sales.csv.gz", tmp_path)  # skips without the data
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o755)
    out = run([ROOT / "examples" / "orange_juice" / "run.py", "--folder", tmp_path / "juice"], 600)
    assert "rows 106139, units 1000392608.02" in out
    assert any(line.split() == ["Naive", "109.67", "109.67"] for line in out.splitlines())
    ours = next(line for line in out.splitlines() if "Tarn (XGBoost)" in line)
    assert float(ours.split()[-1]) <= 38.0
