"""The demo, smaller: it judges itself by counting every hop, and its exit code is what is tested."""
import datetime
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

import postgres_server
import pytest

import real_data

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "examples" / "beverages" / "demo.py"
SIMULATOR = ROOT / "build" / "release" / "beverages_simulator"
SMALL = ["--stores", "3", "--days", "150"]

pytestmark = pytest.mark.skipif(not postgres_server.available(), reason="the demo needs PostgreSQL's programs")


def run(command, seconds):
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def open_folder():
    """PostgreSQL's processes are another user's when this is root: they must be able to come here."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tarn-demo-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_once_counts_every_hop_and_goes_on_from_there(tarn_binary, open_folder):
    out = run([DEMO, "--once", "--folder", open_folder / "demo", *SMALL], 400)
    assert "every hop is complete" in out
    assert "signature checked: alert.opened" in out
    assert "#token=" in out
    again = run([DEMO, "--pull-the-plug", "--folder", open_folder / "demo", *SMALL], 400)
    assert again.count("SIGKILL") == 5
    assert "every hop is complete" in again


@pytest.mark.long
def test_orange_juice_is_forecast_better_than_promised(tarn_binary, open_folder):
    real_data.data_file("orange_juice/sales.csv.gz")  # skips without the data
    out = run([ROOT / "examples" / "orange_juice" / "run.py", "--folder", open_folder / "juice"], 600)
    assert "rows 106139, units 1000392608.02" in out
    assert any(line.split() == ["Naive", "109.67", "109.67"] for line in out.splitlines())
    ours = next(line for line in out.splitlines() if "Tarn (XGBoost)" in line)
    assert float(ours.split()[-1]) <= 38.0


def test_the_company_keeps_to_the_clock(tarn_binary, tmp_path):
    """As fast as it may until it has caught up, and then an hour is told when it is over."""
    now = int(time.time())
    end = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(now - 5 * 3600))
    simulator = subprocess.Popen([SIMULATOR, "--out", tmp_path, "--stores", "1", "--days", "1", "--end", end, "--live", "1e9"],
                                 stdout=subprocess.PIPE, text=True)
    try:
        ended = []
        while len(ended) < 5:
            line = simulator.stdout.readline()
            assert line, "the simulator has ended"
            if line.startswith("hour\t"):
                ended.append(datetime.datetime.fromisoformat(line.split("\t")[1].strip()).timestamp())
        assert ended == [(now // 3600 - 4 + i) * 3600 for i in range(5)]
        assert select.select([simulator.stdout], [], [], 1)[0] == [] or time.time() // 3600 > now // 3600
    finally:
        simulator.kill()
        simulator.wait()
