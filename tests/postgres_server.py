"""A private PostgreSQL for tests, demos and benchmarks: its own folder, a free port on loopback, gone at the end.

    with PostgresServer() as pg:
        pg.url                       # postgresql://tarn:secret@127.0.0.1:<port>/shop
        pg.run("CREATE TABLE t (a int)")
        pg.rows("SELECT * FROM t")   # lists of tuples
        pg.kill(); pg.start()        # a crash and a restart on the same data

It never touches a PostgreSQL that runs already. PostgreSQL refuses to run as root: then its processes are those of the
user postgres (or nobody). `available()` says whether the programs are there.
"""
import contextlib
import glob
import os
import pathlib
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time

USER, PASSWORD, DATABASE = "tarn", "secret", "shop"


def bin_folder():
    """The folder of the newest PostgreSQL's programs; None when there is none."""
    found = os.environ.get("TARN_POSTGRES_BIN")
    if found:
        return pathlib.Path(found)
    folders = [pathlib.Path(p).parent for p in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    if folders:
        return max(folders, key=lambda p: float(p.parent.name))
    initdb = shutil.which("initdb")
    return pathlib.Path(initdb).resolve().parent if initdb else None


def available():
    return bin_folder() is not None


def port_for_later():
    """A free port on loopback that is still free in a while, and again after a restart: below those that the kernel gives to
    whoever asks for any."""
    for _ in range(1000):
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port from 20,000 to 32,000")


def _unprivileged():
    """The account to run as, when we are root; else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _become(account):
    def change():
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    return change


class PostgresServer:
    def __init__(self, settings=None, durable=False, start_seconds=60, folder=None, programs=None):
        """`settings`: more of postgresql.conf. Not durable: no fsync, which is right for tests that do not cut power.
        `folder`: a database that stays; without it a temporary one that goes with close(). `programs`: the folder of another
        version's programs (postgres_versions.py)."""
        self.bin = programs or bin_folder()
        if self.bin is None:
            raise RuntimeError("no PostgreSQL programs here: apt install postgresql")
        self.account = _unprivileged()
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="tarn-postgres-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.log_file = self.folder / "postgres.log"
        self.start_seconds = start_seconds
        self.process = None
        self.port = port_for_later()
        self.settings = {
            "port": self.port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''",
            "max_connections": 50, "wal_level": "logical", "shared_buffers": "'256MB'", "max_wal_size": "'2GB'",
            "timezone": "'UTC'", "log_timezone": "'UTC'", "autovacuum_naptime": "'10s'",
        }
        if not durable:
            self.settings.update(fsync="off", synchronous_commit="off", full_page_writes="off")
        self.settings.update(settings or {})

    # -- life ---------------------------------------------------------------------------------------------------------

    def start(self):
        assert self.process is None, "it runs already"
        if not self.data.exists():
            self._create()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data), "-p", str(self.port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=_become(self.account) if self.account else None, cwd=self.folder, start_new_session=True)
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.process = None
                raise RuntimeError("PostgreSQL did not start:\n" + self.log_tail())
            ready = subprocess.run([str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                                   check=False)
            if ready.returncode == 0:
                self._create_database()
                return self
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL did not answer in time:\n" + self.log_tail())

    def stop(self):
        """A fast shutdown: sessions are ended, data is kept."""
        self._end(2)  # SIGINT

    def kill(self):
        """A crash: no goodbye to the sessions, recovery at the next start."""
        self._end(3)  # SIGQUIT; SIGKILL would leave its children behind

    def close(self):
        self.stop()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    # -- questions ----------------------------------------------------------------------------------------------------

    def url_of(self, user=USER, password=PASSWORD, database=DATABASE, port=None):
        return f"postgresql://{user}:{password}@127.0.0.1:{port or self.port}/{database}"

    @property
    def url(self):
        return self.url_of()

    def connect(self, **more):
        """A psycopg connection of the superuser, autocommit; rows() and value() use one."""
        import psycopg
        return psycopg.connect(self.url, autocommit=True, **more)

    def psql(self, sql, database=DATABASE):
        """What psql prints, without borders. Needs no Python driver."""
        done = subprocess.run([str(self.bin / "psql"), "-X", "-At", "-v", "ON_ERROR_STOP=1", self.url_of(database=database),
                               "-c", sql], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{sql}\n{done.stderr}")
        return done.stdout.strip()

    def run(self, sql):
        self.psql(sql)

    def rows(self, sql, parameters=None):
        with self.connect() as connection:
            return connection.execute(sql, parameters).fetchall()

    def value(self, sql, parameters=None):
        return self.rows(sql, parameters)[0][0]

    def log_tail(self, lines=30):
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    # -- inside -------------------------------------------------------------------------------------------------------

    def _create(self):
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        if self.account:
            os.chown(password_file, self.account.pw_uid, self.account.pw_gid)
        done = subprocess.run(
            [str(self.bin / "initdb"), "-D", str(self.data), "-U", USER, "--pwfile", str(password_file), "-A",
             "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            capture_output=True, text=True, check=False, cwd=self.folder,
            preexec_fn=_become(self.account) if self.account else None)
        if done.returncode != 0:
            raise RuntimeError("initdb failed:\n" + done.stdout + done.stderr)
        with open(self.data / "postgresql.conf", "a") as conf:
            for name, value in self.settings.items():
                conf.write(f"{name} = {value}\n")

    def _create_database(self):
        if not self.psql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'", database="postgres"):
            self.psql(f"CREATE DATABASE {DATABASE}", database="postgres")

    def _end(self, signal_number):
        if self.process is None:
            return
        self.process.send_signal(signal_number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


if __name__ == "__main__":
    with PostgresServer() as server:
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
