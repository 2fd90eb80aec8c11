"""The token that the whole suite runs with: whatever a test prints or leaves behind is searched for it."""

import os
import signal

import pytest

TOKEN = "pat-na1-canary-of-the-whole-suite"


def pytest_configure():
    os.environ.setdefault("HUBSPOT_ACCESS_TOKEN", TOKEN)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background; servers are ended by it


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A test whose output holds the token has failed, whatever it was about."""
    outcome = yield
    report = outcome.get_result()
    printed = "".join(text for _, text in report.sections)
    if TOKEN in printed or TOKEN in report.longreprtext:
        report.outcome, report.longrepr = "failed", f"{item.nodeid} printed the token"


@pytest.fixture(scope="session", autouse=True)
def _state_of_no_user(tmp_path_factory):
    """What the tests lock lies with the tests."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session", autouse=True)
def _no_token_left_behind(tmp_path_factory):
    yield
    files = (path for path in tmp_path_factory.getbasetemp().rglob("*") if path.is_file())
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
