"""Alert rules from outside: a row appears, a signed message arrives, once; the row goes, so does the alert."""
import json
import threading
import time

import pytest
from lake_api import api, send, until
from tarn_server import TarnServer
from webhook_receiver import WebhookReceiver

RULE = """\
lake: warehouse
alerts:
  runs_empty:
    when: select shelf_id, units, seen_at from stock where units < 3
    one_per: [shelf_id]
    to:
{to}
"""
KEY = "alert.opened", {"shelf_id": "s1"}


def lakefile(folder, *webhooks):
    lines = [json.dumps({k: v for k, v in zip(("url", "secret", "allow_private"), webhook)}) for webhook in webhooks]
    path = folder / "lake.yaml"
    path.write_text(RULE.format(to="\n".join(f"      - {line}" for line in lines)))
    return path


def sql(server):
    return server.connect().cursor()


def told(bodies):
    return [(body["type"], body["data"]["key"]) for body in bodies]


def deliveries(server, rule="runs_empty"):
    return api(server, "GET", f"/api/v1/alerts/{rule}/deliveries")["deliveries"]


@pytest.fixture
def receiver():
    with WebhookReceiver() as made:
        yield made


@pytest.fixture
def start(tarn_binary, tmp_path):
    """Starts a lake whose rule tells these webhooks, with the table `stock`."""
    servers = []

    def run(*webhooks):
        server = TarnServer(folder=tmp_path)
        servers.append(server)
        server.start()
        sql(server).execute("create table stock (shelf_id text, units int, seen_at timestamptz)")
        server.args = ["--lake", str(lakefile(tmp_path, *webhooks))]
        server.restart()
        return server

    yield run
    for server in servers:
        print(f"--- the server's log ---\n{server.log_tail()}")
        server.close()


def test_opened_once_and_recovered(start, receiver):
    server = start((receiver.url + "/hook?token=very-secret", receiver.secret, True))
    cursor = sql(server)
    cursor.execute("insert into stock values ('s1', 2, '2026-11-20 17:30:00+00'), ('s2', 90, null)")
    body = receiver.wait(1)[0]
    assert (body["type"], body["data"]["key"]) == KEY
    assert body["data"]["row"] == {"shelf_id": "s1", "units": 2, "seen_at": "2026-11-20T17:30:00.000Z"}
    assert body["data"]["lake"] == "warehouse" and body["data"]["rule"] == "runs_empty"
    assert receiver.messages[0].path == "/hook?token=very-secret"
    # Still there, and another row of the same key: nobody is told again.
    cursor.execute("update stock set units = 1 where shelf_id = 's1'")
    cursor.execute("insert into stock values ('s1', 0, null)")
    cursor.execute("insert into stock values ('s3', 0, null)")
    assert told(receiver.wait(2)) == [KEY, ("alert.opened", {"shelf_id": "s3"})]
    cursor.execute("delete from stock where shelf_id = 's1'")
    recovered = receiver.wait(3)[2]
    assert recovered["type"] == "alert.recovered" and recovered["data"]["key"] == {"shelf_id": "s1"}
    assert recovered["data"]["alert_id"] == body["data"]["alert_id"]
    assert recovered["data"]["since"] == body["data"]["since"] <= recovered["data"]["recovered_at"]
    time.sleep(0.3)
    assert len(receiver.messages) == 3 and not receiver.refused
    # What the API shows of it; nothing of it is secret.
    shown = api(server, "GET", "/api/v1/alerts")
    assert [alert["key"] for alert in shown["open"]] == [{"shelf_id": "s3"}]
    assert [event["kind"] for event in api(server, "GET", "/api/v1/alerts/runs_empty/events")["events"]] == \
        ["recovered", "opened", "opened"]
    everything = json.dumps([shown, deliveries(server)]) + server.log_text()
    assert "very-secret" not in everything and receiver.secret not in everything
    assert {delivery["state"] for delivery in deliveries(server)} == {"delivered"}


def test_retried_with_the_same_id_until_it_is_taken(start, receiver):
    receiver.answer = lambda message: (503, {"Retry-After": "1"}, b"busy") if len(receiver.messages) < 2 else 200
    server = start((receiver.url, receiver.secret, True))
    sql(server).execute("insert into stock values ('s1', 0, null)")
    assert told(receiver.wait(1)) == [KEY]
    assert [message.status for message in receiver.messages] == [503, 503, 200]
    assert len({message.id for message in receiver.messages}) == 1
    assert len({message.raw for message in receiver.messages}) == 1
    delivery = until(lambda: [d for d in deliveries(server) if d["state"] == "delivered"])[0]
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503, 503, 200]
    assert delivery["attempts"][0]["answer"] == "busy"


def test_delivered_after_a_crash(start, receiver):
    server = start((receiver.url, receiver.secret, True))
    receiver.stop()
    cursor = sql(server)
    cursor.execute("insert into stock values ('s1', 0, null)")
    until(lambda: [d for d in deliveries(server) if d["attempt_count"] > 0])
    cursor.execute("delete from stock")
    until(lambda: len(deliveries(server)) == 2)
    server.restart(crash=True)
    receiver.start()
    assert told(receiver.wait(2, 60)) == [KEY, ("alert.recovered", {"shelf_id": "s1"})], "in their order"
    until(lambda: {d["state"] for d in deliveries(server)} == {"delivered"})  # before that it may come twice, with its id
    server.restart(crash=True)
    sql(server).execute("insert into stock values ('s2', 0, null)")
    receiver.wait(3)
    assert len(receiver.messages) == 3, "what was taken is not sent again"


def test_a_private_address_is_refused_unless_allowed(start, receiver):
    server = start((receiver.url, receiver.secret, False))
    sql(server).execute("insert into stock values ('s1', 0, null)")
    refused = until(lambda: [d for d in deliveries(server) if d["state"] == "failed"], 60)[0]
    assert "not allowed" in refused["attempts"][-1]["answer"]
    assert not receiver.messages and not receiver.refused


def test_a_redirect_is_not_followed(start, receiver):
    with WebhookReceiver(secret=receiver.secret) as other:
        receiver.answer = lambda message: (307, {"Location": other.url}, b"")
        server = start((receiver.url, receiver.secret, True))
        sql(server).execute("insert into stock values ('s1', 0, null)")
        failed = until(lambda: [d for d in deliveries(server) if d["state"] == "failed"], 60)[0]
        assert [attempt["status"] for attempt in failed["attempts"]] == [307] * 3
        assert not other.messages and not other.refused


def test_gone_switches_off_until_enabled(start, receiver):
    receiver.answer = lambda message: 410
    server = start((receiver.url, receiver.secret, True))
    cursor = sql(server)
    cursor.execute("insert into stock values ('s1', 0, null)")
    webhook = until(lambda: [w for w in api(server, "GET", "/api/v1/alerts")["alerts"][0]["webhooks"] if w["disabled"]])[0]
    receiver.answer = lambda message: 204
    cursor.execute("insert into stock values ('s2', 0, null)")
    until(lambda: len(api(server, "GET", "/api/v1/alerts")["open"]) == 2)
    api(server, "POST", f"/api/v1/alerts/runs_empty/webhooks/{webhook['target']}/enable", {})
    cursor.execute("insert into stock values ('s3', 0, null)")
    assert told(receiver.wait(1)) == [("alert.opened", {"shelf_id": "s3"})]


def test_a_secret_is_made_and_stays(start, receiver):
    server = start((receiver.url,))
    webhook = api(server, "GET", "/api/v1/alerts")["alerts"][0]["webhooks"][0]
    path = f"/api/v1/alerts/runs_empty/webhooks/{webhook['target']}/secret"
    made = api(server, "GET", path)["secret"]
    assert made.startswith("whsec_") and made not in server.log_text()
    server.restart(crash=True)
    assert api(server, "GET", path)["secret"] == made


def test_silenced(start, receiver):
    server = start((receiver.url, receiver.secret, True))
    until_when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    api(server, "POST", "/api/v1/alerts/runs_empty/silence", {"key": {"shelf_id": "s1"}, "until": until_when})
    sql(server).execute("insert into stock values ('s1', 0, null), ('s2', 0, null)")
    assert told(receiver.wait(1)) == [("alert.opened", {"shelf_id": "s2"})]
    api(server, "POST", "/api/v1/alerts/runs_empty/test", {})
    assert receiver.wait(2)[1]["type"] == "alert.test"
    assert send(server, "POST", "/api/v1/alerts/runs_empty/silence", {"key": {"nope": 1}, "until": until_when}).status == 400


def test_a_rule_sees_what_its_role_sees(start, receiver, tmp_path):
    server = start((receiver.url, receiver.secret, True))
    path = tmp_path / "lake.yaml"
    path.write_text(path.read_text().replace("    one_per", "    run_as: night\n    one_per") +
                    "roles:\n  night:\n    read:\n      stock: {hide: [seen_at], rows: \"shelf_id <> 's1'\"}\n")
    text = path.read_text()
    path.write_text(text.replace("shelf_id, units, seen_at", "shelf_id, units"))
    server.restart()
    cursor = sql(server)
    cursor.execute("insert into stock values ('s1', 0, null), ('s2', 0, null)")
    assert told(receiver.wait(1)) == [("alert.opened", {"shelf_id": "s2"})]
    # A hidden column is the rule's error, and tells nobody anything.
    path.write_text(text)
    server.restart()
    rule = until(lambda: [r for r in api(server, "GET", "/api/v1/alerts")["alerts"] if r["error"]])[0]
    assert "seen_at" in rule["error"]
    assert len(receiver.messages) == 1


def test_plan_replays_over_history(start, receiver, tmp_path):
    server = start((receiver.url, receiver.secret, True))
    cursor = sql(server)
    for _ in range(3):
        cursor.execute("insert into stock values ('s1', 0, null)")
        cursor.execute("delete from stock")
    text = (tmp_path / "lake.yaml").read_text().replace("units < 3", "units < 2")
    plan = api(server, "POST", "/api/v1/plan", {"lakefile": text, "replay_days": 7})
    assert any("would have fired 3 times and recovered 3" in line for line in plan["alerts"]), plan


def test_stops_in_time_while_a_receiver_thinks(start, receiver):
    go = threading.Event()
    receiver.answer = lambda message: 204 if go.wait(14) else 500
    server = start((receiver.url, receiver.secret, True))
    sql(server).execute("insert into stock values ('s1', 0, null)")
    until(lambda: deliveries(server))
    time.sleep(0.2)
    assert server.stop(seconds=8) == 0
    go.set()
    receiver.answer = lambda message: 204
    server.start()
    assert told(receiver.wait(1)) == [KEY]
