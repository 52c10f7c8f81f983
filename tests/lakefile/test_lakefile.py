"""A lakefile from outside: plan, apply, try, secrets, restart, and what the server refuses."""
import base64
import json
import pathlib
import re
import subprocess
import time

import psycopg2
import pytest

from lake_api import api, send
from tarn_server import TarnServer, binary

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

BAKERY = """\
lake: bakery
timezone: Europe/Berlin
sources:
  prices:
    folder: in/prices/*.csv
    csv: {delimiter: ";"}
    columns: {product: text, cents: int}
    key: [product]
    settle: 100ms
tables:
  dear:
    key: [product]
    sql: sql/dear.sql
    checks:
      cents >= 0: set_aside
roles:
  baker:
    read:
      dear: {rows: cents < 500}
"""


def tarn_command(server, *words, stdin=None, cwd=None):
    environment = dict(server.client_env(), TARN_ENDPOINT="http://" + server.ready["http"])
    return subprocess.run([str(binary()), *map(str, words)], capture_output=True, text=True, input=stdin, env=environment,
                          timeout=60, cwd=cwd)


def sql(server, statement):
    connection = server.connect()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else None
    connection.close()
    return rows


def wait_for(what, seconds=20):
    """The first true answer of `what`; its last exception or answer otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = what()
            if answer:
                return answer
        except psycopg2.Error as error:
            answer = error
        assert time.monotonic() < deadline, f"it did not come to pass: {answer}"
        time.sleep(0.05)


@pytest.fixture
def bakery(tmp_path):
    (tmp_path / "in" / "prices").mkdir(parents=True)
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "dear.sql").write_text("select product, cents from prices where cents > 100;\n")
    (tmp_path / "in" / "prices" / "a.csv").write_text("product;cents\nroll;40\nbread;310\ncake;1900\n")
    (tmp_path / "lake.yaml").write_text(BAKERY)
    return tmp_path


def change(folder, old, new):
    path = folder / "lake.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def changes_of(plan):
    return {change["item"]: change["change"] for change in plan["changes"]}


def plan_of(server, folder):
    made = tarn_command(server, "--json", "plan", folder / "lake.yaml")
    return json.loads(made.stdout)


def test_plan_apply_and_again(own_tarn, bakery):
    planned = tarn_command(own_tarn, "plan", bakery / "lake.yaml")
    assert planned.returncode == 0, planned.stderr
    for line in ("+ sources.prices", "+ tables.dear", "+ roles.baker", "baker gains sight of main.dear: rows where cents < 500",
                 "by default new_columns: add, bad_rows: set_aside"):
        assert line in planned.stdout
    assert api(own_tarn, "GET", "/api/v1/lakefile")["applied"] is False, "a plan applied something"
    nobody = tarn_command(own_tarn, "apply", bakery / "lake.yaml", stdin="")
    assert nobody.returncode == 1 and "--yes" in nobody.stderr
    applied = tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes")
    assert applied.returncode == 0 and applied.stdout.endswith("Applied.\n"), applied.stderr
    wait_for(lambda: sql(own_tarn, "select product, cents from dear order by 1") == [("bread", 310), ("cake", 1900)])
    again = tarn_command(own_tarn, "plan", bakery / "lake.yaml")
    assert again.returncode == 0 and "Nothing to do." in again.stdout and "3 unchanged" in again.stdout
    assert plan_of(own_tarn, bakery)["drift"] == []
    roles = api(own_tarn, "GET", "/api/v1/roles")
    assert "cents < 500" in json.dumps(roles)
    status = tarn_command(own_tarn, "status")
    assert "sources.prices" in status.stdout and "tables.dear" in status.stdout
    # Who applied, and that it is in the trail.
    audit = api(own_tarn, "GET", "/api/v1/audit?action=tarn:Apply")["records"]
    assert [record["outcome"] for record in audit] == ["allowed"]


def test_a_change_of_sql_is_computed_again_and_a_comment_is_no_change(own_tarn, bakery):
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    wait_for(lambda: sql(own_tarn, "select count(*) from dear") == [(2,)])
    (bakery / "lake.yaml").write_text("# a bakery\n" + BAKERY)
    assert plan_of(own_tarn, bakery)["changes_something"] is False
    (bakery / "sql" / "dear.sql").write_text("select product, cents from prices where cents > 1000\n")
    plan = plan_of(own_tarn, bakery)
    dear = next(change for change in plan["changes"] if change["item"] == "tables.dear")
    assert dear["change"] == "change" and dear["keys"] == ["sql"] and dear["rows_in"] == 3
    assert any("computed again" in note for note in dear["notes"])
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    wait_for(lambda: sql(own_tarn, "select product from dear") == [("cake",)])


def test_what_is_gone_from_the_file_keeps_its_rows_unless_told(own_tarn, bakery):
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    wait_for(lambda: sql(own_tarn, "select count(*) from dear") == [(2,)])
    full = (bakery / "lake.yaml").read_text()
    without = full[:full.index("tables:")] + full[full.index("roles:"):]
    (bakery / "lake.yaml").write_text(without)
    plan = plan_of(own_tarn, bakery)
    gone = next(change for change in plan["changes"] if change["item"] == "tables.dear")
    assert gone["change"] == "remove" and gone["rows_dropped"] == 2
    assert any("main.dear with 2 rows stays" in note for note in gone["notes"])
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    assert sql(own_tarn, "select count(*) from dear") == [(2,)]
    # It may be declared again: it is still ours.
    (bakery / "lake.yaml").write_text(full)
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    (bakery / "lake.yaml").write_text(without)
    dropped = tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes", "--drop-data")
    assert dropped.returncode == 0, dropped.stderr
    with pytest.raises(psycopg2.Error):
        sql(own_tarn, "select count(*) from dear")


def test_a_rename_keeps_the_rows(own_tarn, bakery):
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    wait_for(lambda: sql(own_tarn, "select count(*) from dear") == [(2,)])
    change(bakery, "  dear:\n    key", "  costly:\n    was: dear\n    key")
    change(bakery, "      dear: {rows", "      costly: {rows")
    plan = plan_of(own_tarn, bakery)
    assert changes_of(plan)["tables.costly"] == "rename"
    assert "baker loses sight of main.dear" in plan["visibility"]
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    wait_for(lambda: sql(own_tarn, "select count(*) from costly") == [(2,)])
    with pytest.raises(psycopg2.Error):
        sql(own_tarn, "select * from dear")
    assert plan_of(own_tarn, bakery)["changes_something"] is False


def test_all_problems_with_their_places(own_tarn, bakery):
    change(bakery, "bad_rows" if "bad_rows" in BAKERY else "settle: 100ms", "setle: 100ms")
    change(bakery, "sql: sql/dear.sql", "sql: sql/missing.sql")
    refused = tarn_command(own_tarn, "plan", bakery / "lake.yaml")
    assert refused.returncode == 1
    text = refused.stdout + refused.stderr
    assert re.search(r"lake\.yaml:9:5: sources\.prices\.setle: .*did you mean 'settle'", text), text
    assert re.search(r"lake\.yaml:13:10: tables\.dear\.sql: there is no file sql/missing\.sql", text), text
    assert "2 problems" in text
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 1
    assert api(own_tarn, "GET", "/api/v1/lakefile")["applied"] is False


@pytest.mark.parametrize("statement, said", [
    ("selec product from prices", "syntax error"),
    ("select product from nowhere", "main.nowhere, which neither exists nor is declared"),
])
def test_sql_is_checked_before_anything_happens(own_tarn, bakery, statement, said):
    (bakery / "sql" / "dear.sql").write_text(statement)
    plan = plan_of(own_tarn, bakery)
    assert any(said in problem["message"] and "sql/dear.sql" in problem["message"] for problem in plan["problems"]), plan["problems"]


def test_a_circle_of_tables_is_a_problem(own_tarn, tmp_path):
    (tmp_path / "lake.yaml").write_text("lake: a\ntables:\n  x: {sql: select n from y}\n  y: {sql: select n from x}\n")
    plan = plan_of(own_tarn, tmp_path)
    circle = [problem for problem in plan["problems"] if "tables.x" in problem["message"] and "tables.y" in problem["message"]]
    assert circle and circle[0]["line"] in (3, 4), plan["problems"]


def test_a_table_of_others_is_not_taken_over(own_tarn, bakery):
    sql(own_tarn, "create table dear (product text)")
    plan = plan_of(own_tarn, bakery)
    assert any("main.dear exists and no lakefile made it" in problem["message"] for problem in plan["problems"])


def test_an_apply_is_exactly_its_plan(own_tarn, bakery):
    body = {"lakefile": (bakery / "lake.yaml").read_text(), "folder": str(bakery), "files": {"sql/dear.sql": "select product, cents from prices"}}
    plan = api(own_tarn, "POST", "/api/v1/plan", body)
    other = dict(body, files={"sql/dear.sql": "select product, cents from prices where cents > 1"}, plan=plan["plan"])
    assert send(own_tarn, "POST", "/api/v1/apply", other).status == 409
    api(own_tarn, "POST", "/api/v1/apply", dict(body, plan=plan["plan"]))
    assert send(own_tarn, "POST", "/api/v1/apply", dict(other, plan=plan["plan"])).status == 409


def test_drift_of_a_role_is_shown_and_put_back(own_tarn, bakery):
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    api(own_tarn, "PUT", "/api/v1/roles/baker", {"grants": {"*": {}}})
    plan = plan_of(own_tarn, bakery)
    assert any(line.startswith("roles.baker was changed by others") for line in plan["drift"])
    assert "baker loses sight of every table" in plan["visibility"]
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    assert plan_of(own_tarn, bakery)["drift"] == []


def test_a_table_that_others_made_anew_is_drift(own_tarn, bakery):
    change(bakery, "    key: [product]\n    sql:", "    key: [product]\n    refresh: manual\n    sql:")
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    sql(own_tarn, "drop table if exists dear")
    sql(own_tarn, "create table dear (product text)")
    assert any("main.dear is another table by now, made by root" in line for line in plan_of(own_tarn, bakery)["drift"])


def test_a_role_that_is_gone_shows_nothing_any_more(own_tarn, bakery):
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    api(own_tarn, "POST", "/api/v1/users", {"name": "ben", "roles": ["baker"], "attributes": {}})
    full = (bakery / "lake.yaml").read_text()
    (bakery / "lake.yaml").write_text(full[:full.index("roles:")])
    plan = plan_of(own_tarn, bakery)
    assert "baker (ben) loses sight of main.dear" in plan["visibility"]
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    assert "baker" not in json.dumps(api(own_tarn, "GET", "/api/v1/roles"))
    own_tarn.restart(crash=True)
    assert plan_of(own_tarn, bakery)["changes_something"] is False


def test_what_is_applied_survives_kills(own_tarn, bakery):
    assert tarn_command(own_tarn, "apply", bakery / "lake.yaml", "--yes").returncode == 0
    wait_for(lambda: sql(own_tarn, "select count(*) from dear") == [(2,)])
    own_tarn.restart(crash=True)
    assert plan_of(own_tarn, bakery)["changes_something"] is False
    (bakery / "in" / "prices" / "b.csv").write_text("product;cents\npie;700\n")
    wait_for(lambda: sql(own_tarn, "select count(*) from dear") == [(3,)])


def test_try_keeps_nothing(own_tarn, bakery):
    (bakery / "in" / "prices" / "a.csv").write_text("product;cents\nroll;40\nbread;much\n")
    tried = tarn_command(own_tarn, "try", bakery / "lake.yaml", "prices")
    assert tried.returncode == 0, tried.stderr
    assert "roll" in tried.stdout and "1 rejected" in tried.stdout and "bread;much" in tried.stdout
    with pytest.raises(psycopg2.Error):
        sql(own_tarn, "select * from prices")
    unknown = tarn_command(own_tarn, "try", bakery / "lake.yaml", "nothing")
    assert unknown.returncode == 1 and "nothing" in unknown.stderr


def test_a_table_is_tried_before_its_inputs_exist(own_tarn, bakery):
    (bakery / "in" / "prices" / "a.csv").write_text("product;cents\nroll;40\ncake;900\nit's;301\n")
    lakefile = bakery / "lake.yaml"
    lakefile.write_text(lakefile.read_text().replace("roles:", """\
  dearest:
    sql: select product, cents from dear where cents > 300
roles:"""))
    tried = tarn_command(own_tarn, "try", lakefile, "dearest")
    assert tried.returncode == 0, tried.stderr
    assert "cake" in tried.stdout and "it's" in tried.stdout and "roll" not in tried.stdout
    assert "sample of 3 rows" in tried.stdout and "dear is computed" in tried.stdout
    with pytest.raises(psycopg2.Error):
        sql(own_tarn, "select * from dear")
    # Who may not apply may not have the server open a source's files either.
    api(own_tarn, "POST", "/api/v1/users", {"name": "guest"})
    api(own_tarn, "PUT", "/api/v1/users/guest/policies/try", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["tarn:Try", "tarn:ExecuteStatement"], "Resource": "*"}]})
    key = api(own_tarn, "POST", "/api/v1/users/guest/keys")
    answer = api(own_tarn, "POST", "/api/v1/try", {"lakefile": lakefile.read_text(), "name": "dearest", "folder": str(bakery),
                                                   "files": {"sql/dear.sql": (bakery / "sql" / "dear.sql").read_text()}},
                 key=(key["access_key_id"], key["secret_access_key"]))
    assert "tarn:Apply" in answer["items"][0]["error"], answer


def test_secrets_are_kept_and_never_shown(own_tarn, tmp_path):
    value = "postgresql://u:hunter2secret@127.0.0.1:1/db"
    (tmp_path / "lake.yaml").write_text("lake: a\nsources:\n  erp: {postgres: \"${secret:erp_url}\"}\n")
    missing = tarn_command(own_tarn, "plan", tmp_path / "lake.yaml")
    assert missing.returncode == 1 and "lake.yaml:3:19" in missing.stdout and "tarn secrets set erp_url" in missing.stdout
    assert tarn_command(own_tarn, "secrets", "set", "erp_url", stdin=value + "\n").returncode == 0
    assert "erp_url" in tarn_command(own_tarn, "secrets", "list").stdout
    assert tarn_command(own_tarn, "apply", tmp_path / "lake.yaml", "--yes").returncode == 0
    own_tarn.restart(crash=True)
    assert tarn_command(own_tarn, "plan", tmp_path / "lake.yaml").returncode == 0, "the secret did not survive"
    shown = json.dumps([api(own_tarn, "GET", path) for path in
                        ("/api/v1/secrets", "/api/v1/lakefile", "/api/v1/sources", "/api/v1/audit?limit=1000")])
    assert "hunter2secret" not in shown and "hunter2secret" not in own_tarn.log_text()
    for path in own_tarn.data.rglob("*"):
        if path.is_file():
            assert b"hunter2secret" not in path.read_bytes(), f"{path} holds the secret readable"
    assert tarn_command(own_tarn, "secrets", "remove", "erp_url").returncode == 0
    gone = api(own_tarn, "GET", "/api/v1/lakefile")["problems"]
    assert any("erp_url" in problem["message"] for problem in gone)
    assert tarn_command(own_tarn, "secrets", "remove", "erp_url").returncode == 1


def test_who_may_not_does_not(own_tarn, bakery):
    api(own_tarn, "POST", "/api/v1/users", {"name": "ana", "roles": []})
    made = api(own_tarn, "POST", "/api/v1/users/ana/keys")
    key = (made["access_key_id"], made["secret_access_key"])
    for method, path in (("POST", "/api/v1/plan"), ("POST", "/api/v1/apply"), ("POST", "/api/v1/try"), ("GET", "/api/v1/lakefile"),
                         ("GET", "/api/v1/secrets"), ("PUT", "/api/v1/secrets/x"), ("GET", "/api/v1/sources"), ("GET", "/api/v1/tables"),
                         ("GET", "/api/v1/runs"), ("GET", "/api/v1/models"), ("GET", "/api/v1/alerts")):
        assert send(own_tarn, method, path, {"lakefile": BAKERY} if method != "GET" else None, key).status == 403, path


def test_serve_with_a_lakefile(tarn_binary, bakery):
    (bakery / "server").mkdir()
    server = TarnServer(folder=bakery / "server", args=["--lake", bakery / "lake.yaml"])
    try:
        server.start()
        wait_for(lambda: sql(server, "select count(*) from dear") == [(2,)])
        server.restart()
        assert plan_of(server, bakery)["changes_something"] is False
        change(bakery, "cents >= 0: set_aside", "cents >= 0: set_asid")
        server.stop()
        with pytest.raises(AssertionError) as refused:
            server.start()
        assert re.search(r"lake\.yaml:15:19: tables\.dear\.checks\.cents >= 0: .*did you mean 'set_aside'", str(refused.value))
    finally:
        server.close()


def test_secrets_from_the_environment_and_a_file(tarn_binary, tmp_path):
    (tmp_path / "lake.yaml").write_text("lake: a\nsources:\n  one: {postgres: \"${secret:one_url}\"}\n  two: {postgres: \"${secret:two_url}\"}\n")
    secrets = tmp_path / "secrets"
    secrets.write_text("# for tests\ntwo_url=postgresql://a:b@127.0.0.1:1/two\n")
    secrets.chmod(0o644)
    (tmp_path / "server").mkdir()
    server = TarnServer(folder=tmp_path / "server", args=["--lake", tmp_path / "lake.yaml", "--secrets-file", secrets],
                        env={"TARN_SECRET_ONE_URL": "postgresql://a:b@127.0.0.1:1/one"})
    try:
        with pytest.raises(AssertionError) as readable:
            server.start()
        assert "can be read by others" in str(readable.value)
        secrets.chmod(0o600)
        server.start()
        listed = {one["name"]: one["from"] for one in api(server, "GET", "/api/v1/secrets")["secrets"]}
        assert listed == {"one_url": "environment", "two_url": "file"}
    finally:
        server.close()


def test_reference_and_schema_are_what_the_program_prints(tarn_binary):
    for word, page in (("reference", "lakefile.md"), ("schema", "lakefile.schema.json")):
        made = subprocess.run([str(binary()), "lakefile", word], capture_output=True, text=True, timeout=30)
        assert made.stdout == (ROOT / "docs" / page).read_text(), f"tarn lakefile {word} > docs/{page}"


def test_the_example_has_a_plan(own_tarn):
    example = ROOT / "examples" / "beverages" / "lake.yaml"
    if not example.exists():
        pytest.skip("no example yet")
    for name in sorted(set(re.findall(r"\$\{secret:([a-z0-9_]+)\}", example.read_text()))):
        value = "postgresql://a:b@127.0.0.1:1/db" if name.endswith("_url") else \
            "whsec_" + base64.b64encode(b"k" * 32).decode() if "key" in name else "https://hooks.example.com/x"
        assert tarn_command(own_tarn, "secrets", "set", name, stdin=value).returncode == 0
    plan = plan_of(own_tarn, example.parent)
    assert plan["problems"] == [], plan["problems"]
    assert len(example.read_text().splitlines()) < 120
