"""A PUBACK outlives kill -9."""
import struct
import threading

from mqtt_clients import Client, Raw, connect_packet, packet, text, unique

WINDOW = 20


def publish_until_the_end(tarn, top, acknowledged, attempted):
    with Raw(tarn) as raw:
        raw.say(connect_packet(tarn, client_id=top.replace("/", "-")))
        assert raw.read(4) == b"\x20\x02\x00\x00"
        for first in range(0, 1500, WINDOW):
            topics = [f"{top}/{n}" for n in range(first, first + WINDOW)]
            attempted.update(topics)
            # Retained and with QoS 1.
            raw.say(b"".join(packet(0x33, text(topic) + struct.pack(">H", n + 1) + b"x") for n, topic in enumerate(topics)))
            acks = raw.read(4 * WINDOW)
            acknowledged.update(topics[:len(acks) // 4])
            if len(acks) < 4 * WINDOW:
                return


def test_acknowledged_retained_messages_are_there_after_a_kill(own_tarn):
    """A retained message is committed with its record in the stream, so that it witnesses both."""
    top = unique("crash")
    acknowledged, attempted = set(), set()
    for round_ in range(2):
        workers = [threading.Thread(target=publish_until_the_end,
                                    args=(own_tarn, f"{top}/{round_}/{n}", acknowledged, attempted)) for n in range(3)]
        for worker in workers:
            worker.start()
        threading.Event().wait(0.15)
        own_tarn.kill()
        for worker in workers:
            worker.join()
        own_tarn.start()
    assert len(acknowledged) >= WINDOW
    reader, end = Client(own_tarn), unique("end")
    reader.subscribe(end)
    reader.subscribe(f"{top}/#")
    present = set()
    reader.publish(end, "x")
    while (message := reader.hear()).topic != end:
        present.add(message.topic)
    reader.close()
    assert acknowledged <= present <= attempted


def stream_payloads(tarn, name):
    """All payloads of a stream, in order, over the API."""
    import base64
    import json
    import urllib.request
    secret = base64.b64encode(f"{tarn.access_key}:{tarn.secret_key}".encode()).decode()
    payloads, offset = [], 0
    while True:
        request = urllib.request.Request(f"http://{tarn.ready['http']}/api/v1/streams/{name}?offset={offset}",
                                         headers={"Authorization": "Basic " + secret})
        page = json.load(urllib.request.urlopen(request, timeout=10))
        if not page["records"]:
            return payloads
        assert [record["offset"] for record in page["records"]] == list(range(offset, page["next"])), "offsets have gaps"
        payloads += [record["payload"] for record in page["records"]]
        offset = page["next"]


def test_records_of_a_stream_are_there_once_each_after_a_kill(own_tarn):
    """Acknowledged is in present, present is in attempted, one row per record, in the order of sending."""
    acknowledged, attempted = [], []
    for round_number in range(3):
        client = Client(own_tarn)
        waiting = []
        for i in range(400):
            payload = f"{round_number}-{i:05d}"
            attempted.append(payload)
            waiting.append((payload, client.paho.publish("stores/1/shelves/1", payload, qos=1)))
            if i == 300:
                waiting[200][1].wait_for_publish(10)
        own_tarn.kill()
        acknowledged += [payload for payload, info in waiting if info.is_published()]
        client.close()
        own_tarn.start()
    present = stream_payloads(own_tarn, "mqtt")
    assert len(present) == len(set(present)), "a record is there twice"
    assert set(acknowledged) <= set(present) <= set(attempted)
    assert present == sorted(present)
    assert len(acknowledged) >= 600
