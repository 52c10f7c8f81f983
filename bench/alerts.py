"""From a change to the webhook: an MQTT reading, and a row by SQL. What is timed is the whole way, through the real doors."""
import json
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import paho.mqtt.client as mqtt  # noqa: E402
import psycopg2  # noqa: E402
from tarn_server import TarnServer  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

LAKEFILE = """\
lake: bench
sources:
  shelves:
    mqtt: stores/{{store_id}}/shelves/{{shelf_id}}
    columns: {{seq: bigint, grams: double}}
    key: [shelf_id, seq]
    commit: 20ms
alerts:
  light:
    when: select shelf_id, seq, grams from shelves where grams < 1
    one_per: [shelf_id]
    to: [{{url: "{url}", secret: "{secret}", allow_private: true}}]
  low:
    when: select item from stock where units < 1
    one_per: [item]
    to: [{{url: "{url}", secret: "{secret}", allow_private: true}}]
"""


def arrivals(receiver, make, key, count, gap=0.12):
    """Milliseconds from make(i) to the message of its alert."""
    made = {}
    for i in range(count):
        made[str(i)] = time.time()
        make(i)
        time.sleep(gap)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        arrived = {str(m.body["data"]["key"][key]): m.arrived for m in receiver.accepted() if key in m.body["data"]["key"]}
        if all(name in arrived for name in made):
            break
        time.sleep(0.05)
    return [(arrived[name] - at) * 1000 for name, at in made.items() if name in arrived]


def connect(server):
    host, port = server.address("postgres")
    connection = psycopg2.connect(host=host, port=port, user=server.access_key, password=server.secret_key, dbname="lake")
    connection.autocommit = True
    return connection.cursor()


def measure(count=200):
    """{"reading": [ms ...], "row": [ms ...]}: every message's time; fewer than `count` mean that some never came."""
    with tempfile.TemporaryDirectory() as folder, WebhookReceiver() as receiver:
        lakefile = pathlib.Path(folder) / "lake.yaml"
        lakefile.write_text(LAKEFILE.format(url=receiver.url, secret=receiver.secret))
        server = TarnServer(folder=folder).start()
        try:
            connect(server).execute("create table stock (item text, units int)")
            server.args = ["--lake", str(lakefile)]
            server.restart()
            cursor = connect(server)
            rows = arrivals(receiver, lambda i: cursor.execute("insert into stock values (%s, 0)", (str(i),)), "item", count)
            try:
                client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bench")
            except AttributeError:  # paho before 2.0
                client = mqtt.Client(client_id="bench")
            client.username_pw_set(server.access_key, server.secret_key)
            client.connect(*server.address("mqtt"))
            client.loop_start()

            def publish(i):
                client.publish(f"stores/1/shelves/{i}", json.dumps({"seq": i, "grams": 0}), qos=1).wait_for_publish(5)

            readings = arrivals(receiver, publish, "shelf_id", count)
            client.loop_stop()
            return {"reading": readings, "row": rows}
        finally:
            server.close()


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    for name, values in measure().items():
        if values:
            print(f"{name}: {len(values)} messages, p50 {statistics.median(values):.0f} ms, "
                  f"p99 {quantile(values, 0.99):.0f} ms, most {max(values):.0f} ms")
