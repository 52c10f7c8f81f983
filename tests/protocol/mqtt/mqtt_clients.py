"""Clients of the MQTT door: paho, and bare sockets."""
import queue
import socket
import struct
import threading
import uuid

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

MQTT5 = mqtt.MQTTv5
MQTT311 = mqtt.MQTTv311


def unique(prefix="t"):
    return f"{prefix}/{uuid.uuid4().hex[:12]}"


class Client:
    """A connected paho client; what it hears stands in `messages`."""

    def __init__(self, tarn, version=MQTT5, client_id=None, user=None, password=None, will=None, clean=True, expiry=0,
                 wait=True):
        self.version = version
        self.messages = queue.Queue()
        self.connected = threading.Event()
        self.disconnected = threading.Event()
        self.acked = threading.Event()
        self.reason = self.disconnect_reason = None
        self.session_present = self.was_cut = False
        kind = {} if version == MQTT5 else {"clean_session": clean}
        self.paho = mqtt.Client(client_id if client_id is not None else uuid.uuid4().hex, protocol=version, **kind)
        self.paho.username_pw_set(tarn.access_key if user is None else user,
                                  tarn.secret_key if password is None else password)
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)
        self.paho.on_subscribe = lambda *_: self.acked.set()
        self.paho.on_unsubscribe = lambda *_: self.acked.set()
        self.paho.reconnect_delay_set(3600, 3600)
        if will:
            self.paho.will_set(**will)
        host, port = tarn.address("mqtt")
        more = {}
        if version == MQTT5:
            more["clean_start"] = clean
            if expiry:
                more["properties"] = Properties(PacketTypes.CONNECT)
                more["properties"].SessionExpiryInterval = expiry
        self.paho.connect(host, port, keepalive=30, **more)
        self.paho.loop_start()
        if wait:
            assert self.connected.wait(10), "no CONNACK"
            assert int(getattr(self.reason, "value", self.reason)) == 0, self.reason

    def _on_connect(self, _client, _userdata, flags, reason, _properties=None):
        self.reason, self.session_present = reason, bool(flags["session present"])
        self.connected.set()

    def _on_disconnect(self, _client, _userdata, reason, _properties=None):
        if not self.disconnected.is_set():  # the end of the socket follows a DISCONNECT
            self.disconnect_reason = reason
        self.disconnected.set()

    def subscribe(self, topic, qos=1, **more):
        self.acked.clear()
        self.paho.subscribe(topic, qos, **more)
        assert self.acked.wait(10), "no SUBACK"

    def unsubscribe(self, topic):
        self.acked.clear()
        self.paho.unsubscribe(topic)
        assert self.acked.wait(10), "no UNSUBACK"

    def publish(self, topic, payload, qos=1, retain=False, properties=None):
        sent = self.paho.publish(topic, payload, qos, retain, properties)
        sent.wait_for_publish(10)
        assert sent.is_published(), "no PUBACK"

    def hear(self, seconds=10):
        return self.messages.get(timeout=seconds)

    def silent(self, tarn_client, topic):
        """True when nothing is heard before a message that is sent now."""
        tarn_client.publish(topic, "end of silence")
        return self.hear().payload == b"end of silence"

    def close(self):
        if self.was_cut:
            return
        self.paho.disconnect()
        self.paho.loop_stop()

    def cut(self):
        """Ends the connection without DISCONNECT."""
        self.was_cut = True
        self.paho.socket().shutdown(socket.SHUT_RDWR)
        self.paho.loop_stop()


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(raw)) + raw


def packet(first, body):
    length, size = b"", len(body)
    while True:
        size, low = size >> 7, size & 0x7f
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def connect_packet(tarn, level=4, client_id="raw", user=None, password=None):
    body = text("MQTT") + bytes([level, 0xc2]) + struct.pack(">H", 60) + (b"\x00" if level == 5 else b"")
    return packet(0x10, body + text(client_id) + text(user or tarn.access_key) + text(password or tarn.secret_key))


class Raw:
    def __init__(self, tarn):
        self.socket = socket.create_connection(tarn.address("mqtt"), timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # closed while we spoke

    def read(self, size):
        got = b""
        while len(got) < size:
            try:
                more = self.socket.recv(size - len(got))
            except ConnectionError:
                break
            if not more:
                break
            got += more
        return got

    def until_closed(self):
        return self.read(1 << 20)
