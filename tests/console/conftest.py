import pytest

from headless_browser import Browser, missing


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
