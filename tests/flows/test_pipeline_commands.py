"""`tarn runs`, `tarn silence` and `tarn models` against the program: what they print, what they change, what they refuse."""
import json
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "console"))

from tarn_server import TarnServer, binary  # noqa: E402
from watch_lake import api, make, settle, sql, until  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with WebhookReceiver() as receiver, TarnServer() as server:
        make(server, receiver)
        until(lambda: api(server, "GET", "/api/v1/models/demand")["versions"])
        yield server


def tarn(server, *words):
    env = dict(server.client_env(), TARN_ENDPOINT=f"http://{server.ready['http']}")
    return subprocess.run([str(binary()), *words], capture_output=True, text=True, env=env, timeout=60, check=False)


def told(server, *words):
    done = tarn(server, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_runs(lake):
    listed = told(lake, "runs", "list", "tables.daily_units")
    assert "from scratch" in listed and "done" in listed and "tables.levels" not in listed
    assert "tables.levels" in told(lake, "runs", "list")
    shown = told(lake, "runs", "show", "tables.daily_units", "1")
    assert "360 rows read" in shown and "read main.sales" in shown and "computing rows" in shown
    run = json.loads(told(lake, "--json", "runs", "show", "tables.daily_units", "1"))
    assert run["outcome"] == "done" and run["log"]
    refused = tarn(lake, "runs", "show", "tables.daily_units", "999")
    assert refused.returncode == 1 and "no run 999" in refused.stderr
    assert tarn(lake, "runs", "show", "tables.nothing", "1").returncode == 1


def test_runs_again(lake):
    settle(lake)
    started = told(lake, "runs", "start", "tables.daily_units", "--from-scratch", "--downstream")
    assert started.splitlines()[0] == "due now: tables.daily_units"
    assert "due now: tables.totals" in started and "due now: models.demand" in started and "levels" not in started
    settle(lake)
    newest = api(lake, "GET", "/api/v1/runs?step=tables.daily_units&limit=1")["runs"][0]
    assert newest["mode"] == "from scratch" and newest["cause"] == "request"
    first, last = sql(lake, "select (current_date - 20)::text, (current_date - 10)::text")["rows"][0]
    told(lake, "runs", "start", "tables.daily_units", "--from", first, "--to", last)
    run = until(lambda: [r for r in api(lake, "GET", "/api/v1/runs?step=tables.daily_units&limit=1")["runs"] if r["mode"].startswith("range")])[0]
    settle(lake)
    assert run["mode"] == f"range from {first} to before {last}"
    assert api(lake, "GET", f"/api/v1/runs/tables.daily_units/{run['run']}")["rows_written"] == 30
    for words, why in ((("--from", last, "--to", first), "empty"), (("--from", "yesterday", "--to", first), "day such as"),
                       (("--from", first), "day such as"), (("--from", first, "--to", last, "--from-scratch"), "without from_scratch")):
        refused = tarn(lake, "runs", "start", "tables.daily_units", *words)
        assert refused.returncode != 0 and why in refused.stderr, words
    refused = tarn(lake, "runs", "start", "alerts.runs_empty", "--from", first, "--to", last)
    assert "runs as a whole" in refused.stderr


def test_silence(lake):
    assert told(lake, "silence", "runs_empty", "--for", "2h", "--key", '{"shelf_id": 2}').startswith("Silent until")
    silences = api(lake, "GET", "/api/v1/alerts/runs_empty")["silences"]
    assert [one["key"] for one in silences] == [{"shelf_id": 2}]
    told(lake, "silence", "runs_empty", "--end", "--key", '{"shelf_id": 2}')
    assert api(lake, "GET", "/api/v1/alerts/runs_empty")["silences"] == []
    for words in (("runs_empty",), ("runs_empty", "--for", "long"), ("runs_empty", "--for", "2h", "--key", "2"), ("runs_empty", "--for", "2h", "--end")):
        assert tarn(lake, "silence", *words).returncode == 2, words
    refused = tarn(lake, "silence", "nothing", "--for", "2h")
    assert refused.returncode == 1 and "no alert rule nothing" in refused.stderr


def test_models(lake):
    listed = told(lake, "models", "list")
    assert "main.demand" in listed and "% wape" in listed
    assert "*" in told(lake, "models", "versions", "demand")
    assert "version 1 is in use" in told(lake, "models", "use", "demand", "1")
    refused = tarn(lake, "models", "use", "demand", "9")
    assert refused.returncode == 1 and "no version 9" in refused.stderr


@pytest.mark.parametrize("command", ["runs", "silence", "models"])
def test_help_has_examples(lake, command):
    assert "Examples:" in told(lake, command, "--help")
