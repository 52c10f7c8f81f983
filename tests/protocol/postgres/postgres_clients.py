"""Connecting to the PostgreSQL door as root."""
import base64
import http.client
import json

import psycopg2


def parameters(tarn, **more):
    host, port = tarn.address("postgres")
    return dict(dict(host=host, port=port, user=tarn.access_key, password=tarn.secret_key, dbname="lake",
                     connect_timeout=10), **more)


def connect(tarn, **more):
    return psycopg2.connect(**parameters(tarn, **more))


def api(tarn, method, path, body):
    """Asks the console's API as root."""
    host, port = tarn.address("http")
    connection = http.client.HTTPConnection(host, port, timeout=60)
    signed = base64.b64encode(f"{tarn.access_key}:{tarn.secret_key}".encode()).decode()
    connection.request(method, path, body=None if body is None else json.dumps(body), headers={"Authorization": "Basic " + signed})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status < 300, text
    return json.loads(text) if text else None
