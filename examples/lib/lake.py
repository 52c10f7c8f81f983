"""Starts Tarn for an example and asks it things: over HTTP, as anyone could."""
import base64
import configparser
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PORTS = {"aws": 4566, "http": 8080, "postgres": 5439, "mqtt": 1883}


def usable(port):
    """The port if nobody has it, else a free one."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise OSError("no free port")


class Refused(Exception):
    """The server's answer was an error; the text is the server's."""


class Lake:
    def __init__(self, folder, lakefile, secrets):
        self.folder = pathlib.Path(folder)
        self.lakefile = lakefile
        self.log_file = self.folder / "server.log"
        self.data = self.folder / "lake"
        self.ready_file = self.folder / "ready.json"
        self.environment = dict(os.environ)
        self.environment.update({f"TARN_SECRET_{name.upper()}": value for name, value in secrets.items()})
        self.ports = None
        self.process = None
        self.ready = {}
        self.key = self.secret = None

    # -- life ---------------------------------------------------------------------------------------------------------

    def start(self, seconds=60):
        if self.ports is None:
            self.ports = {door: usable(port) for door, port in PORTS.items()}
        self.ready_file.unlink(missing_ok=True)
        command = [str(TOP / "build" / "release" / "tarn"), "serve", "--data", str(self.data), "--lake", str(self.lakefile),
                   "--ready-file", str(self.ready_file),
                   "--port", ",".join(f"{door}={port}" for door, port in self.ports.items())]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                                            start_new_session=True)  # Ctrl-C is for the demo, which then stops the server
        until = time.monotonic() + seconds
        while not self.ready_file.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                tail = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-15:])
                raise SystemExit(f"the server did not start; the end of its log ({self.log_file}):\n{tail}")
            time.sleep(0.01)
        self.ready = json.loads(self.ready_file.read_text())
        parser = configparser.ConfigParser()
        parser.read(self.data / "root.credentials")
        section = parser[parser.sections()[0]]
        self.key, self.secret = section["aws_access_key_id"], section["aws_secret_access_key"]

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    # -- asking -------------------------------------------------------------------------------------------------------

    @property
    def http(self):
        return "http://" + self.ready["http"]

    def call(self, method, path, body=None, seconds=60):
        request = urllib.request.Request(self.http + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("authorization", "Basic " + base64.b64encode(f"{self.key}:{self.secret}".encode()).decode())
        if body is not None:
            request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                text = json.loads(text)["error"]["message"]
            except (ValueError, KeyError):
                pass
            raise Refused(text) from None

    def sql(self, text):
        return self.call("POST", "/api/v1/sql", {"sql": text})["rows"]

    def count(self, table):
        """Rows of a table; 0 while it does not exist or the server is not there."""
        try:
            return int(self.sql(f"select count(*) from {table}")[0][0])
        except (Refused, OSError):
            return 0

    def stages_line(self):
        """One line: what is loading, how many rows each stage has."""
        tables = ["erp.sales", "shelves", "levels", "daily_sales", "demand", "risk"]
        line = "  ".join(f"{table} {self.count(table):,}" for table in tables)
        return line + "".join(f"\n         {trouble}" for trouble in self.troubles())

    def troubles(self):
        """What the lake itself says is wrong with a source."""
        try:
            sources = self.call("GET", "/api/v1/sources")["sources"]
        except (Refused, OSError):
            return []
        return [f"source {source['name']}: {source['last_error']}" for source in sources if source.get("last_error")]

    def sign_in_link(self):
        return self.http + "/#token=" + self.call("POST", "/api/v1/sign-in-tokens", {})["token"]

    # -- what to try --------------------------------------------------------------------------------------------------

    def commands(self, folder):
        """Lines to paste. Secrets stay in files that only the owner can read."""
        host, port = self.ready["postgres"].rsplit(":", 1)
        passwords = folder / "pgpass"
        self._write_private(passwords, f"{host}:{port}:*:{self.key}:{self.secret}\n")
        mqtt_host, mqtt_port = self.ready["mqtt"].rsplit(":", 1)
        config = folder / "mosquitto"
        config.mkdir(exist_ok=True)  # mosquitto_sub reads $XDG_CONFIG_HOME/mosquitto_sub
        self._write_private(config / "mosquitto_sub", f"-h {mqtt_host}\n-p {mqtt_port}\n-u {self.key}\n-P {self.secret}\n")
        credentials = self.data / "root.credentials"
        return [
            f"AWS_SHARED_CREDENTIALS_FILE={credentials} aws --region us-east-1 --endpoint-url http://{self.ready['aws']} s3 ls "
            "s3://landing/ --recursive",
            f"PGPASSFILE={passwords} psql -h {host} -p {port} -U {self.key} lake -c "
            "'select shelf_id, store_id, units, hours_to_empty::numeric(9,1) as hours, reasons from risk "
            "where units > 0 order by hours_to_empty limit 5'",
            f"XDG_CONFIG_HOME={config} mosquitto_sub -t 'stores/+/shelves/+' -v -C 5 -W 60",
            f"TARN_READY_FILE={self.ready_file} AWS_SHARED_CREDENTIALS_FILE={credentials} "
            f"{TOP / 'build' / 'release' / 'tarn'} plan {self.lakefile}",
        ]

    @staticmethod
    def _write_private(path, text):
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text)
