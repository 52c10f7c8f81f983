"""Fixtures of the MQTT tests."""
import pytest

from mqtt_clients import MQTT5, MQTT311, Client


@pytest.fixture
def connect(tarn):
    made = []

    def make(**more):
        made.append(Client(tarn, **more))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(params=[MQTT311, MQTT5], ids=["3.1.1", "5"])
def version(request):
    return request.param
