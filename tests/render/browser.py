"""A real browser for tests of pages: Debian's Chromium, driven by its own driver, without a network."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars
""".split()


@contextlib.contextmanager
def browser(profile: Path, *flags: str) -> Iterator:
    """A session with a new profile; the test skips where there is no Chromium."""
    if "BROWSER_TESTS" not in os.environ:
        pytest.skip("BROWSER_TESTS=1 runs them")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no chromium and chromedriver here")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    session = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield session
    finally:
        session.quit()
