"""The program itself: start, stop, command line, what it refuses."""
import os
import pathlib
import stat
import subprocess
import time

import pytest

from tarn_server import TarnServer, binary

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.quick


def tarn_command(server, *words, stdin=None, env=None):
    environment = dict(server.client_env() if server else os.environ, **(env or {}))
    if server:
        environment["TARN_ENDPOINT"] = "http://" + server.ready["http"]
    return subprocess.run([str(binary()), *words], capture_output=True, text=True, input=stdin, env=environment, timeout=60)


def test_first_start_makes_a_key_that_only_the_owner_reads(tarn):
    for name in ("root.credentials", "root.key"):
        assert stat.S_IMODE((tarn.data / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(tarn.data.stat().st_mode) == 0o700
    assert tarn.secret_key not in tarn.log_text(), "the log shows the secret"


def test_the_server_does_not_need_the_credentials_file(own_tarn):
    own_tarn.stop()
    kept = own_tarn.credentials_file.read_text()
    own_tarn.credentials_file.unlink()
    own_tarn.start()
    assert not own_tarn.credentials_file.exists()
    own_tarn.credentials_file.write_text(kept)
    assert tarn_command(own_tarn, "status").returncode == 0


def test_commands(tarn):
    status = tarn_command(tarn, "status")
    assert status.returncode == 0 and "ready" in status.stdout
    assert tarn_command(tarn, "sql", "select 1 as a, 'x,y' as b, null as c").stdout == 'a,b,c\n1,"x,y",\n'
    assert tarn_command(tarn, "sql", "-", stdin="select 40 + 2 as n").stdout == "n\n42\n"
    table = tarn_command(tarn, "sql", "--format", "table", "select 1 as a").stdout
    assert table.splitlines() == [" a", "---", " 1", "(1 row)"]


def test_errors_say_what_to_do(tarn):
    wrong = tarn_command(tarn, "sql", "select * from nowhere")
    assert wrong.returncode != 0 and "nowhere" in wrong.stderr
    assert tarn_command(tarn, "serve").returncode == 2
    assert tarn_command(tarn, "nonsense").returncode == 2
    nobody = tarn_command(tarn, "status", env={"AWS_ACCESS_KEY_ID": "AKIAAAAAAAAAAAAAAAAA", "AWS_SECRET_ACCESS_KEY": "x" * 40})
    assert nobody.returncode == 1
    away = tarn_command(tarn, "--endpoint", "http://127.0.0.1:1", "status")
    assert away.returncode == 1 and "tarn serve" in away.stderr
    for command in ("serve", "sql", "status", "users", "keys"):
        assert "Examples:" in tarn_command(tarn, command, "--help").stdout


def test_settings_page_is_what_the_program_prints(tarn_binary):
    assert tarn_command(None, "settings").stdout == (ROOT / "docs" / "settings.md").read_text()


def test_a_folder_is_served_once(tarn):
    second = subprocess.run([str(binary()), "serve", "--data", str(tarn.data), "--port", "aws=0,http=0,postgres=0,mqtt=0"],
                            capture_output=True, text=True, timeout=30)
    assert second.returncode == 1 and "another tarn serves" in second.stderr


def test_readable_secrets_stay_on_loopback(tarn_binary, tmp_path):
    refused = subprocess.run([str(binary()), "serve", "--data", str(tmp_path / "d"), "--listen", "0.0.0.0"],
                             capture_output=True, text=True, timeout=30)
    assert refused.returncode == 2 and "--tls-certificate" in refused.stderr
    assert not (tmp_path / "d").exists()


def test_a_lakefile_that_is_not_there(tarn_binary, tmp_path):
    refused = subprocess.run([str(binary()), "serve", "--data", str(tmp_path / "d"), "--lake", str(tmp_path / "lake.yaml")],
                             capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1 and "lake.yaml" in refused.stderr
    assert not (tmp_path / "d").exists()


def test_sigterm_stops_within_ten_seconds_with_a_client_attached(own_tarn):
    import psycopg2
    host, port = own_tarn.address("postgres")
    held = psycopg2.connect(host=host, port=port, user=own_tarn.access_key, password=own_tarn.secret_key, dbname="lake")
    began = time.monotonic()
    assert own_tarn.stop(seconds=12) == 0
    assert time.monotonic() - began < 10
    held.close()
    assert not own_tarn.ready_file.exists()


def test_two_words_for_anyone(tarn):
    import urllib.error
    import urllib.request
    for path, word in (("healthz", b"ok\n"), ("readyz", b"ready\n")):
        assert urllib.request.urlopen(f"http://{tarn.ready['http']}/{path}").read() == word
    for path in ("metrics", "api/v1/status", "api/v1/users", "nowhere"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://{tarn.ready['http']}/{path}")
        assert refused.value.code == 401


@pytest.mark.parametrize("answer", [b"{}", b'{"version": 7}', b"[]", b"null", b"not json"])
def test_an_answer_of_another_form_is_told_and_ends_nothing(answer, tmp_path):
    """A server that is not tarn's, or of another version."""
    import http.server
    import threading

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        do_POST = do_GET
        log_message = staticmethod(lambda *_: None)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever).start()
        credentials = tmp_path / "credentials"
        credentials.write_text("[default]\naws_access_key_id = AKIAX\naws_secret_access_key = secret\n")
        try:
            for command in (["status"], ["users", "list"], ["sources"], ["tables"], ["models"]):
                done = subprocess.run([str(binary()), *command, "--endpoint", f"http://127.0.0.1:{other.server_port}"],
                                      capture_output=True, text=True, timeout=20,
                                      env=dict(os.environ, AWS_SHARED_CREDENTIALS_FILE=str(credentials)))
                assert done.returncode in (1, 2) and done.stderr.strip(), (command, done)
        finally:
            other.shutdown()
