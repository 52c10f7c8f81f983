"""The API's description: each route says what it takes and answers, and a running lake answers so: no field less, none more."""
import base64
import http.client
import json

import pytest

from console_lake import api, apply, ask, until
from postgres_server import PostgresServer, available
from tarn_server import TarnServer
from watch_lake import TABLES, make, sql
from webhook_receiver import WebhookReceiver

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None), "array": list, "object": dict}


@pytest.fixture(scope="module")
def lake(tarn_binary):
    with WebhookReceiver() as receiver, TarnServer() as server:
        make(server, receiver)
        sql(server, "update readings set units = 1 where shelf_id = 1")  # an alert with its history and deliveries
        yield server


@pytest.fixture(scope="module")
def described(lake):
    return api(lake, "GET", "/api/v1/openapi.json")


def wrong(value, schema, named, at="answer"):
    """Where `value` is not as the schema says; the words of JSON Schema that the description uses."""
    if "$ref" in schema:
        return wrong(value, named[schema["$ref"].rsplit("/", 1)[1]], named, at)
    if "anyOf" in schema:
        tried = [wrong(value, one, named, at) for one in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    kind = schema.get("type")
    if kind is None:
        return []
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number")):
        return [f"{at}: {json.dumps(value)[:60]} is no {kind}"]
    found = []
    if kind == "array":
        for i, one in enumerate(value[:50]):
            found += wrong(one, schema["items"], named, f"{at}[{i}]")
    if kind == "object":
        found += [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, one in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
            if inner is False:
                found.append(f"{at}: {name} is not described")
            elif inner is not True:
                found += wrong(one, inner, named, f"{at}.{name}")
    return found


def check(lake, described, method, path, template, body=None, key=None):
    operation = described["paths"]["/api/v1" + template][method.lower()]
    response, data = ask(lake, method, "/api/v1" + path, body, key)
    answers = operation["responses"]
    assert str(response.status) in answers, f"{method} {path}: {response.status} {data[:300]}"
    content = answers[str(response.status)].get("content")
    if content is None:
        assert data == b"", f"{method} {path}: {data[:300]}"
        return None
    answer = json.loads(data)
    assert wrong(answer, content["application/json"]["schema"], described["components"]["schemas"]) == [], f"{method} {path}"
    return answer


READS = [("/status", "/status"), ("/me", "/me"), ("/openapi.json", "/openapi.json"), ("/users", "/users"), ("/roles", "/roles"), ("/streams", "/streams"),
         ("/audit?limit=50", "/audit"), ("/audit/digests", "/audit/digests"), ("/audit/check", "/audit/check"), ("/lakefile", "/lakefile"),
         ("/secrets", "/secrets"), ("/sources", "/sources"), ("/tables", "/tables"), ("/runs?limit=50", "/runs"), ("/graph", "/graph"),
         ("/steps/tables.levels", "/steps/{step}"), ("/steps/models.demand", "/steps/{step}"), ("/steps/alerts.runs_empty", "/steps/{step}"),
         ("/models", "/models"), ("/models/main.demand", "/models/{model}"), ("/models/main.demand/monitor", "/models/{model}/monitor"),
         ("/alerts", "/alerts"), ("/alert-events", "/alert-events"), ("/alert-deliveries", "/alert-deliveries"), ("/alerts/runs_empty", "/alerts/{alert}"),
         ("/alerts/runs_empty/events", "/alerts/{alert}/events"), ("/alerts/runs_empty/deliveries", "/alerts/{alert}/deliveries"),
         ("/queries", "/queries"), ("/catalog", "/catalog"), ("/catalog/main/levels", "/catalog/{database}/{table}"),
         ("/catalog/main/readings", "/catalog/{database}/{table}"), ("/catalog/main/levels/snapshots", "/catalog/{database}/{table}/snapshots"),
         ("/catalog/main/levels/files", "/catalog/{database}/{table}/files"), ("/catalog/main/levels/lineage", "/catalog/{database}/{table}/lineage"),
         ("/catalog/main/sales/sample", "/catalog/{database}/{table}/sample"), ("/catalog/main/sales/profile", "/catalog/{database}/{table}/profile"),
         ("/catalog/main/daily_units/access", "/catalog/{database}/{table}/access"), ("/users/ann/access", "/users/{user}/access"),
         ("/usage", "/usage"), ("/growth", "/growth"), ("/measures", "/measures"), ("/dashboards", "/dashboards"),
         ("/dashboards/stock", "/dashboards/{dashboard}"), ("/dashboards/stock/spec", "/dashboards/{dashboard}/spec"), ("/backups", "/backups"), ("/embeds", "/embeds"),
         ("/runs/tables.levels/1", "/runs/{run}/{value}")]


@pytest.mark.parametrize("path, template", READS)
def test_a_route_answers_as_described(lake, described, path, template):
    check(lake, described, "GET", path, template)


def test_changes_answer_as_described(lake, described):
    def change(method, path, template, body=None):
        return check(lake, described, method, path, template, body)

    change("POST", "/users", "/users", {"name": "eve", "roles": ["buyer"], "attributes": {"region": "north"}})
    change("PUT", "/users/eve/roles", "/users/{user}/roles", {"roles": []})
    change("PUT", "/users/eve/policies/p", "/users/{user}/policies/{policy}", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "tarn:ListRuns", "Resource": "*"}]})
    key = change("POST", "/users/eve/keys", "/users/{user}/keys", {})["access_key_id"]
    change("PUT", f"/keys/{key}", "/keys/{key}", {"active": False})
    change("DELETE", f"/keys/{key}", "/keys/{key}")
    change("DELETE", "/users/eve", "/users/{user}")
    change("PUT", "/roles/idle", "/roles/{role}", {"grants": {}})
    change("DELETE", "/roles/idle", "/roles/{role}")
    change("POST", "/sign-in-tokens", "/sign-in-tokens", {})
    change("PUT", "/secrets/word", "/secrets/{secret}", {"value": "x"})
    change("DELETE", "/secrets/word", "/secrets/{secret}")
    change("PUT", "/catalog/main/sales/description", "/catalog/{database}/{table}/description", {"description": "What was sold", "tags": ["till"]})
    change("POST", "/runs", "/runs", {"step": "tables.levels"})
    change("POST", "/plan", "/plan", {"lakefile": "lake: kiosk\n"})
    query = change("POST", "/queries", "/queries", {"sql": "select 1 as n", "wait_ms": 10000})["id"]
    change("GET", f"/queries/{query}", "/queries/{query}")
    change("GET", f"/queries/{query}/rows", "/queries/{query}/rows")
    change("DELETE", f"/queries/{query}", "/queries/{query}")
    change("POST", "/sql", "/sql", {"sql": "select 1 as n"})
    change("POST", "/alerts/runs_empty/test", "/alerts/{alert}/test", {})


def test_the_lakefile_answers_as_described(lake, described):
    """Plan, apply, try, what is applied: of a lake beside the one that the other tests look at."""
    text = "lake: kiosk\ntables:\n  doubled:\n    sql: select shelf_id, units * 2 as units from readings\n"
    tried = check(lake, described, "POST", "/try", "/try", {"lakefile": text, "name": "doubled", "rows": 2})
    assert tried["items"][0]["rows"]
    check(lake, described, "POST", "/plan", "/plan", {"lakefile": "lake: kiosk\ntables:\n  t: {sql: selec}\n"})
    with TarnServer() as other:
        sql(other, TABLES[0])
        sql(other, TABLES[1])
        plan = check(other, described, "POST", "/plan", "/plan", {"lakefile": text})
        assert check(other, described, "POST", "/apply", "/apply", {"lakefile": text, "plan": plan["plan"]})["changes"][0]["change"] == "add"
        assert check(other, described, "GET", "/lakefile", "/lakefile")["items"][0]["item"] == "tables.doubled"


def test_sessions_answer_as_described(lake, described):
    token = api(lake, "POST", "/api/v1/sign-in-tokens", {})["token"]
    response, data = ask(lake, "POST", "/api/v1/session", {"token": token}, headers={})
    shape = described["paths"]["/api/v1/session"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert response.status == 200 and wrong(json.loads(data), shape, described["components"]["schemas"]) == []
    signed_in = {"Cookie": response.getheader("set-cookie").split(";")[0], "X-CSRF-Token": json.loads(data)["csrf_token"]}
    assert ask(lake, "DELETE", "/api/v1/session", headers=signed_in)[0].status == 204
    assert ask(lake, "GET", "/api/v1/me", headers=signed_in)[0].status == 401


def test_alerts_change_as_described(lake, described):
    rule = check(lake, described, "GET", "/alerts/runs_empty", "/alerts/{alert}")
    target = rule["webhooks"][0]["target"]
    check(lake, described, "POST", "/alerts/runs_empty/silence", "/alerts/{alert}/silence", {"until": "2999-01-01T00:00:00Z"})
    assert check(lake, described, "GET", "/alerts/runs_empty", "/alerts/{alert}")["silences"]
    check(lake, described, "POST", "/alerts/runs_empty/silence", "/alerts/{alert}/silence", {"until": "2000-01-01T00:00:00Z"})
    check(lake, described, "GET", f"/alerts/runs_empty/webhooks/{target}/secret", "/alerts/{alert}/webhooks/{webhook}/secret")
    check(lake, described, "POST", f"/alerts/runs_empty/webhooks/{target}/enable", "/alerts/{alert}/webhooks/{webhook}/enable", {})


def test_a_silence_of_one_key_answers_as_described(lake, described):
    key = until(lambda: check(lake, described, "GET", "/alerts/runs_empty", "/alerts/{alert}")["alerts"])[0]["key"]
    assert key == {"shelf_id": 1}
    check(lake, described, "POST", "/alerts/runs_empty/silence", "/alerts/{alert}/silence", {"key": key, "until": "2999-01-01T00:00:00Z"})
    rule = check(lake, described, "GET", "/alerts/runs_empty", "/alerts/{alert}")
    assert [one["key"] for one in rule["silences"]] == [key] and rule["alerts"][0]["silenced_until"]
    assert check(lake, described, "GET", "/alert-events", "/alert-events")["events"][0]["key"] == key
    check(lake, described, "POST", "/alerts/runs_empty/silence", "/alerts/{alert}/silence", {"key": key, "until": "2000-01-01T00:00:00Z"})
    assert check(lake, described, "GET", "/alerts/runs_empty", "/alerts/{alert}")["silences"] == []


def test_who_sees_less_is_answered_as_described(lake, described):
    """Without the rows of a rule an answer has fewer members, or null ones: those that the description lets be absent."""
    for path, template in (("/alerts", "/alerts"), ("/alerts/runs_empty", "/alerts/{alert}"), ("/alert-events", "/alert-events"), ("/alert-deliveries", "/alert-deliveries"),
                           ("/graph", "/graph"), ("/models", "/models"), ("/models/main.demand", "/models/{model}"), ("/sources", "/sources")):
        answer = check(lake, described, "GET", path, template, key=lake.keys["ann"])
        assert "shelf_id" not in json.dumps(answer)


@pytest.mark.skipif(not available(), reason="PostgreSQL is not installed")
@pytest.mark.parametrize("differ", [[], pytest.param(["store_id=2"], marks=pytest.mark.long)])
def test_a_comparison_answers_as_described(described, tarn_binary, differ):
    """A database and its lake; what differs is looked at for ten seconds until the verdict names its key."""
    with PostgresServer({"wal_level": "logical"}) as shop, TarnServer() as server:
        shop.run("create table stores (store_id int primary key, name text)")
        shop.run("insert into stores values (1, 'North'), (2, 'South')")
        apply(server, f"lake: kiosk\nsources:\n  erp:\n    postgres: \"{shop.url}\"\n    follow: changes\n    commit: 100ms\n")
        until(lambda: [one for one in check(server, described, "GET", "/sources", "/sources")["sources"] if one["state"] == "following"])
        if differ:
            sql(server, "delete from erp.stores where store_id = 2")
        check(server, described, "POST", "/sources/erp/verify", "/sources/{source}/verify", {"tables": ["stores"]})
        verdict = until(lambda: (now := check(server, described, "GET", "/sources/erp/verify", "/sources/{source}/verify"))["finished"] and now)
        assert [one["key"] for table in verdict["tables"] for one in table["keys"]] == differ


def test_what_is_looked_over_answers_as_described(lake, described):
    check(lake, described, "POST", "/audit/digests", "/audit/digests", {})
    assert check(lake, described, "GET", "/audit/digests", "/audit/digests")["digests"]
    check(lake, described, "POST", "/verify", "/verify", {})
    until(lambda: not check(lake, described, "GET", "/verify", "/verify")["running"])
    folder = lake.folder / "copies"
    folder.mkdir()
    check(lake, described, "POST", "/backups", "/backups", {"to": str(folder)})
    until(lambda: not check(lake, described, "GET", "/backups", "/backups")["last"]["running"])


def test_an_embed_link_answers_as_described(lake, described):
    text = api(lake, "GET", "/api/v1/dashboards/stock/spec")
    assert text["embed"] == ["https://intranet.example"]
    made = check(lake, described, "POST", "/dashboards/stock/embeds", "/dashboards/{dashboard}/embeds", {"user": "ann"})
    assert check(lake, described, "GET", "/embeds", "/embeds")["embeds"]
    check(lake, described, "DELETE", f"/embeds/{made['id']}", "/embeds/{embed}")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_export_is_of_the_kind_that_is_described(lake, described, form):
    query = api(lake, "POST", "/api/v1/queries", {"sql": "select 1 as n", "wait_ms": 10000})["id"]
    response, data = ask(lake, "GET", f"/api/v1/queries/{query}/export?format={form}")
    assert response.status == 200 and (data.startswith(b"PAR1") if form == "parquet" else data.split() == [b"n", b"1"])
    assert list(described["paths"]["/api/v1/queries/{query}/export"]["get"]["responses"]["200"]["content"]) == ["application/octet-stream"]


def test_events_are_a_stream(lake, described):
    operation = described["paths"]["/api/v1/events"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
    host, port = lake.address("http")
    connection = http.client.HTTPConnection(host, port, timeout=60)
    pair = base64.b64encode(f"{lake.access_key}:{lake.secret_key}".encode()).decode()
    connection.request("GET", "/api/v1/events?tables=main.levels", headers={"Authorization": "Basic " + pair})
    response = connection.getresponse()
    assert response.status == 200 and response.getheader("content-type").startswith("text/event-stream")
    assert response.read(1)
    connection.close()


def test_a_refusal_is_as_described(lake, described):
    response, data = ask(lake, "GET", "/api/v1/catalog/main/nothing_here")
    error = described["components"]["responses"]["Failed"]["content"]["application/json"]["schema"]
    assert response.status == 404 and wrong(json.loads(data), error, described["components"]["schemas"]) == []


def anything(schema, at):
    """Where a schema allows whatever there is."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return []
    if schema == {}:
        return [at]
    found = [at + ".*"] if schema.get("additionalProperties") is True else []
    inner = [(f"{at}.{name}", one) for name, one in schema.get("properties", {}).items()]
    inner += [(f"{at}|{i}", one) for i, one in enumerate(schema.get("anyOf", []))]
    inner += [(f"{at}[]", schema["items"])] if "items" in schema else []
    inner += [(f"{at}.*", schema["additionalProperties"])] if isinstance(schema.get("additionalProperties"), dict) else []
    return found + [one for name, part in inner for one in anything(part, name)]


def test_nothing_is_just_anything(described):
    found = [one for name, schema in described["components"]["schemas"].items() for one in anything(schema, name)]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            for answer in [*operation["responses"].values(), operation.get("requestBody", {})]:
                found += [one for content in answer.get("content", {}).values() for one in anything(content.get("schema"), f"{method} {path}")]
    assert found == []


def test_every_route_is_described(described):
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            done = [code for code in operation["responses"] if code != "default"]
            assert len(done) == 1, (method, path)
            assert done == ["204"] or operation["responses"][done[0]]["content"], (method, path)
            if method in ("post", "put"):
                assert operation["requestBody"]["content"]["application/json"]["schema"], (method, path)
