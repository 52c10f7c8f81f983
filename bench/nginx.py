"""An nginx of our own as the peer for reading files: sendfile, keep-alive, no log, one worker for each core."""
import contextlib
import os
import pathlib
import shutil
import tempfile

import peer

CONF = """
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=2000;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
    }}
}}
"""


@contextlib.contextmanager
def serving(files):
    """The endpoint of an nginx that serves `files` ({path: bytes}); None where nginx is not installed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for path, content in files.items():
            target = folder / "files" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        port = peer.free_port()
        conf = folder / "nginx.conf"
        user = "user root;\n" if os.getuid() == 0 else ""
        conf.write_text(user + CONF.format(workers=os.cpu_count(), folder=folder, port=port))
        with peer.running([program, "-c", str(conf)], port):
            yield f"http://127.0.0.1:{port}"
