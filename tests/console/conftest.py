import pathlib

import pytest

from headless_browser import Browser, missing


def pytest_collection_modifyitems(items):
    """A browser on a machine that does three other things meets moments that no wait names: a story that fails is told once more, and the
    run names it (docs/decisions/0024)."""
    for item in items:
        if item.path.parent == pathlib.Path(__file__).resolve().parent:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def shared_browser():
    """One Chromium for all files of this folder."""
    if missing() is not None:
        pytest.skip(missing())
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(shared_browser, request):
    """Another person's browser: no cookies. A module's WINDOW is its size."""
    shared_browser.fresh(**getattr(request.module, "WINDOW", {}))
    return shared_browser
