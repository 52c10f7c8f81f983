"""Starts the real program for tests: on free ports, in a folder of its own, with its log kept for failures.

    with TarnServer() as tarn:
        tarn.endpoint            # http://127.0.0.1:<port of the AWS door>
        tarn.access_key, tarn.secret_key
        tarn.kill(); tarn.start()   # a crash and a restart on the same data

The program is TARN_BINARY, else build/release/tarn. What the server wrote stays in <folder>/server.log.
"""
import configparser
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOORS = ("aws", "http", "postgres", "mqtt")


def binary():
    return pathlib.Path(os.environ.get("TARN_BINARY", ROOT / "build" / "release" / "tarn"))


class TarnServer:
    """One server process and its data folder. The folder goes away on close(), unless `folder` was given."""

    def __init__(self, folder=None, args=(), env=None, start_seconds=30):
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="tarn-test-"))
        self.data = self.folder / "data"
        self.ready_file = self.folder / "ready.json"
        self.log_file = self.folder / "server.log"
        self.args = [str(a) for a in args]
        self.env = dict(os.environ, **(env or {}))
        self.start_seconds = start_seconds
        self.process = None
        self.ready = {}
        self.access_key = self.secret_key = None

    # -- life ---------------------------------------------------------------------------------------------------------

    def start(self, ports=None):
        """Returns once every door answers. `ports` fixes some ({"aws": 4566}); the others are free ones."""
        assert self.process is None, "it runs already"
        if self.ready_file.exists():
            self.ready_file.unlink()
        chosen = dict.fromkeys(DOORS, 0)
        chosen.update(ports or {})
        command = [str(binary()), "serve", "--data", str(self.data),
                   "--port", ",".join(f"{door}={port}" for door, port in chosen.items()),
                   "--ready-file", str(self.ready_file)] + self.args
        with open(self.log_file, "ab") as log:
            log.write(f"--- {' '.join(command)}\n".encode())
            log.flush()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        self._wait_ready()
        self._read_credentials()
        return self

    def stop(self, seconds=15):
        """SIGTERM; returns the exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.process = None
            raise AssertionError(f"the server did not stop within {seconds} s of SIGTERM\n{self.log_tail()}")
        self.process = None
        return code

    def kill(self):
        """SIGKILL: what a power cut looks like to the program."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self, crash=False, same_ports=False):
        ports = {d: int(self.ready[d].rsplit(":", 1)[1]) for d in DOORS if d in self.ready} if same_ports else None
        if crash:
            self.kill()
        else:
            self.stop()
        return self.start(ports)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        self.kill()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # -- what it says -------------------------------------------------------------------------------------------------

    def address(self, door):
        """(host, port) of "aws", "http", "postgres" or "mqtt"."""
        host, port = self.ready[door].rsplit(":", 1)
        return host, int(port)

    def connect(self, key=None, **more):
        """A psycopg2 connection of root, or of who has this pair of keys; each statement is its own transaction."""
        import psycopg2
        host, port = self.address("postgres")
        user, password = key or (self.access_key, self.secret_key)
        connection = psycopg2.connect(host=host, port=port, user=user, password=password, dbname="lake", **more)
        connection.autocommit = True
        return connection

    @property
    def endpoint(self):
        return "http://" + self.ready["aws"]

    @property
    def credentials_file(self):
        return self.data / "root.credentials"

    def log_text(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_tail(self, lines=40):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def client_env(self):
        """An environment in which the AWS tools sign in as root and look at nothing else."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env.update(AWS_SHARED_CREDENTIALS_FILE=str(self.credentials_file), AWS_CONFIG_FILE=os.devnull,
                   AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true", AWS_PAGER="")
        return env

    # -- inside -------------------------------------------------------------------------------------------------------

    def _wait_ready(self):
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                code, self.process = self.process.returncode, None
                raise AssertionError(f"the server ended with {code} at its start\n{self.log_tail()}")
            if self.ready_file.exists():
                try:
                    self.ready = json.loads(self.ready_file.read_text())
                    return
                except ValueError:
                    pass  # half written
            time.sleep(0.01)
        self.kill()
        raise AssertionError(f"the server was not ready within {self.start_seconds} s\n{self.log_tail()}")

    def _read_credentials(self):
        parser = configparser.ConfigParser()
        if not parser.read(self.credentials_file):
            return  # removed by a test: the keys known so far stay good
        section = parser[parser.sections()[0] if parser.sections() else "DEFAULT"]
        self.access_key = section["aws_access_key_id"]
        self.secret_key = section["aws_secret_access_key"]
