"""mosquitto_pub and mosquitto_sub."""
import shutil
import subprocess

import pytest

from mqtt_clients import unique

pytestmark = pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto-clients is not installed")


def command(tarn, tool, *args):
    host, port = tarn.address("mqtt")
    return [tool, "-h", host, "-p", str(port), "-u", tarn.access_key, "-P", tarn.secret_key, *args]


@pytest.mark.parametrize("dialect", ["mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", ["0", "1"])
def test_publish_and_subscribe(tarn, dialect, qos):
    topic = unique("m")
    reader = subprocess.Popen(["stdbuf", "-oL"] + command(tarn, "mosquitto_sub", "-V", dialect, "-t", f"{topic}/#", "-q", qos, "-C", "3", "-W", "20",
                                      "-v", "-d"), stdout=subprocess.PIPE, text=True)
    for line in reader.stdout:
        if "Subscribed" in line:
            break
    for n in range(3):
        subprocess.run(command(tarn, "mosquitto_pub", "-V", dialect, "-t", f"{topic}/{n}", "-m", f"v{n}", "-q", qos),
                       check=True, timeout=20)
    heard = [line.strip() for line in reader.stdout if line.startswith(topic)]
    assert heard == [f"{topic}/{n} v{n}" for n in range(3)]
    assert reader.wait(20) == 0


def test_lines_of_a_file(tarn):
    topic = unique("lines")
    lines = "".join(f"line {n}\n" for n in range(500))
    subprocess.run(command(tarn, "mosquitto_pub", "-t", topic, "-l", "-q", "1"), input=lines, text=True, check=True, timeout=60)
    subprocess.run(command(tarn, "mosquitto_pub", "-t", topic, "-m", "kept", "-r", "-q", "1"), check=True, timeout=20)
    heard = subprocess.run(command(tarn, "mosquitto_sub", "-t", topic, "-C", "1", "-W", "20"), capture_output=True, text=True)
    assert heard.stdout == "kept\n"


def test_a_wrong_password(tarn):
    args = command(tarn, "mosquitto_pub", "-t", "t", "-m", "x")
    args[args.index("-P") + 1] = "wrong"
    failed = subprocess.run(args, capture_output=True, text=True, timeout=20)
    assert failed.returncode != 0 and "bad user name or password" in failed.stderr
