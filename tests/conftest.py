"""Fixtures for all tests that drive the real program from outside."""
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from tarn_server import TarnServer, binary  # noqa: E402


def pytest_runtest_makereport(item, call):
    """Remembers how a test went, for the fixtures that show a server's log."""
    if call.when == "call":
        item.failed_in_call = call.excinfo is not None


def pytest_terminal_summary(terminalreporter):
    """What passed only at the second time is told, with what went wrong at the first."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"unsteady: {report.nodeid}", sep="=")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(scope="session")
def tarn_binary():
    if not binary().exists():
        pytest.skip(f"{binary()} is not built")
    return binary()


@pytest.fixture(scope="module")
def tarn(tarn_binary):
    """One server for the tests of a file."""
    server = TarnServer()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def own_tarn(tarn_binary):
    """A server for one test alone, which may kill it."""
    server = TarnServer()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture(autouse=True)
def leave_no_folder(request):
    """A thousand lakes are more than a disk in memory holds: what a test that passed has written goes at its end."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder and not getattr(request.node, "failed_in_call", True):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def show_log_of_failure(request):
    servers = [request.getfixturevalue(name) for name in ("tarn", "own_tarn") if name in request.fixturenames]
    yield
    if getattr(request.node, "failed_in_call", False):
        for server in servers:
            print(f"--- the server's log ---\n{server.log_tail()}")
