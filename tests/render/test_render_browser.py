"""The page in a real browser: accessible, readable without script, and deaf to what its strings say."""

import json
import os
from pathlib import Path

import pytest
from browser import browser
from render_documents import HOSTILE
from test_render_html import PAGES

from reconciler.render import FORMATS, Style

AXE = os.environ.get("AXE_CORE", "")
WAIT = "const done = arguments[0]; axe.run(document).then(found => done(found.violations), e => done([String(e)]))"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with every page."""
    for name, document in PAGES.items():
        (tmp_path / f"{name}.html").write_text(FORMATS["html"](document, Style()), "utf-8")
    return tmp_path


def test_pages_are_accessible(written: Path) -> None:
    """axe finds nothing to say about any page, in light and in dark, and no page is wider than a phone."""
    if not Path(AXE).is_file():
        pytest.skip("AXE_CORE names no axe.min.js, such as npm's axe-core has")
    with browser(written / "profile") as session:
        session.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        for name, scheme in [(name, "light") for name in PAGES] + [("pictured", "dark"), ("watched", "dark")]:
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            session.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            session.get((written / f"{name}.html").as_uri())
            session.execute_script(Path(AXE).read_text("utf-8"))
            assert [(name, one["id"], one["nodes"][:2]) for one in session.execute_async_script(WAIT)] == []
        phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        session.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        for name in ("pictured", "watched", "hostile"):
            session.get((written / f"{name}.html").as_uri())
            assert session.execute_script("return document.documentElement.scrollWidth") <= 390, name


def test_nothing_acts_in_a_browser(written: Path) -> None:
    """Hostile strings make no element, no script and no request; the document in the page is the document."""
    with browser(written / "profile") as session:
        session.get((written / "hostile.html").as_uri())
        made = session.execute_script(
            "return [document.scripts.length, document.images.length, performance.getEntriesByType('resource').length,"
            " document.getElementById('document').textContent, document.body.innerText]"
        )

    assert made[:3] == [1, 0, 0]
    assert json.loads(made[3]) == json.loads(json.dumps(HOSTILE))
    assert "<script>alert(1)</script>" in made[4]


def test_a_page_needs_no_script(written: Path) -> None:
    """With script off everything is there, and what is urgent is open."""
    with browser(written / "profile", "--blink-settings=scriptEnabled=false") as session:
        session.get((written / "pictured.html").as_uri())
        shown = session.find_element("tag name", "main").text

    assert "Records keep their values for 90 days" in shown
    assert "--allow properties/contacts/old_score" in shown
