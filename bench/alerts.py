"""From a change to the webhook: an MQTT reading, and a row by SQL. What is timed is the whole way, through the real doors."""
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import paho.mqtt.client as mqtt  # noqa: E402
from mqtt import connect as mqtt_connect, packet, text  # noqa: E402
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


BUSY_LAKEFILE = """\
lake: bench
sources:
  shelves:
    mqtt: stores/{{store_id}}/shelves/{{shelf_id}}
    columns: {{seq: bigint, grams: double}}
    commit: 20ms
alerts:
  light:
    when: select shelf_id, seq, grams from shelves where grams < 1
    one_per: [shelf_id]
    to: [{{url: "{url}", secret: "{secret}", allow_private: true}}]
"""


def arrivals(receiver, make, key, count, gap=0.12, name=str):
    """Milliseconds from make(i) to the message of its alert, whose key is name(i)."""
    made = {}
    for i in range(count):
        made[name(i)] = time.time()
        make(i)
        time.sleep(gap)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        arrived = {str(m.body["data"]["key"][key]): m.arrived for m in receiver.accepted() if key in m.body["data"]["key"]}
        if all(name in arrived for name in made):
            break
        time.sleep(0.05)
    return [(arrived[name] - at) * 1000 for name, at in made.items() if name in arrived]


def connect(server):
    return server.connect().cursor()


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


def busy(count=100, rate=20_000):
    """Milliseconds from a reading to its message while others are published at `rate`, and the rate that was reached."""
    with tempfile.TemporaryDirectory() as folder, WebhookReceiver() as receiver:
        lakefile = pathlib.Path(folder) / "lake.yaml"
        lakefile.write_text(BUSY_LAKEFILE.format(url=receiver.url, secret=receiver.secret))
        with TarnServer(args=["--lake", lakefile]) as server:
            host, port = server.address("mqtt")
            seconds = count * 0.25 + 10
            others = subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("mqtt.py")), host, str(port),
                                       server.access_key, server.secret_key, str(rate), str(seconds)], stdout=subprocess.PIPE, text=True)
            time.sleep(3)
            sock = mqtt_connect((host, port), server.access_key.encode(), server.secret_key.encode(), b"bench-light")

            def publish(i):
                body = b'{"seq":%d,"grams":0}' % i
                sock.sendall(packet(0x32, text(b"stores/1/shelves/light-%d" % i) + b"\0\1" + body))
                sock.recv(4, socket.MSG_WAITALL)

            waits = arrivals(receiver, publish, "shelf_id", count, 0.2, "light-{}".format)
            return waits, float(others.communicate(timeout=120)[0])


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    for name, values in measure().items():
        if values:
            print(f"{name}: {len(values)} messages, p50 {statistics.median(values):.0f} ms, "
                  f"p99 {quantile(values, 0.99):.0f} ms, most {max(values):.0f} ms")
