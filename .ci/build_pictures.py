#!/usr/bin/env python3
"""Draws the pictures of README.md: a plan comment, a drift issue and a report, as a browser shows them.

Needs Chromium and its driver. Beside the pictures go the hashes of the pages that they were taken of, by which
``tests/test_pictures.py`` knows without a browser whether they are fresh.
"""

import base64
import json
import re
import shutil
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from markdown_it import MarkdownIt

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from build_docs import edit_specs, move_portal, said, steady, workplace  # noqa: E402

PICTURES = HERE.parent / ".github" / "pictures"
HASHES = PICTURES / "pages.json"
WIDTH = 860  # about the width of a README on GitHub
# The page of each picture, the element where it begins, its greatest height, and its scale (no picture over 150 KB).
CUTS = {
    "plan-comment": ("plan-comment", "html", 1200, 1.1),
    "drift-issue": ("drift-issue", "html", 1200, 1),
    "report": ("report", "html", 560, 1.5),
    "report-drawn": ("report", "#labels", 830, 1.5),
}
TOP = "return Math.max(document.querySelector(arguments[0]).getBoundingClientRect().top - 16, 0)"
FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars
--disable-lcd-text
""".split()
RELABELLED = (
    "{label: Billing contact, inverseLabel: Billed through}",
    "{label: Pays the bills, inverseLabel: Paid by}",
)
ADDED = "      signatory: {label: Signs for, inverseLabel: Signed by}\n"
STYLE = """
* { box-sizing: border-box }
body { margin: 0; padding: 12px; background: #fff; color: #1f2328; font: 14px/1.5 "Liberation Sans", sans-serif }
.box { border: 1px solid #d1d9e0; border-radius: 6px; overflow: hidden }
.who { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 16px; color: #59636e }
.who b { color: #1f2328 }
.who i { float: right; font-style: normal; font-size: 12px }
.who i { border: 1px solid #d1d9e0; border-radius: 2em; padding: 0 8px }
.text { padding: 4px 16px 12px }
h2 { font-size: 21px; border-bottom: 1px solid #d1d9e0; padding-bottom: 6px; margin: 12px 0 }
h3 { font-size: 17px; margin: 16px 0 8px }
p, ul { margin: 0 0 12px } ul { padding-left: 24px }
code, pre { font: 12px/1.45 "DejaVu Sans Mono", monospace; background: #f1f2f4; border-radius: 6px }
code { padding: 2px 5px } pre { padding: 12px; background: #f6f8fa; margin: 8px 0 }
pre code { background: none; padding: 0; white-space: pre-wrap }
.add { background: #dafbe1; color: #116329; display: block }
.cut { background: #ffebe9; color: #82071e; display: block }
.hunk { color: #6639ba; display: block; font-weight: bold }
table { border-collapse: collapse; margin-bottom: 12px; width: 100% }
th, td { border: 1px solid #d1d9e0; padding: 5px 10px; text-align: left }
td code { overflow-wrap: anywhere }
td:first-child { white-space: nowrap }
th { font-weight: 600 } tr:nth-child(even) td { background: #f6f8fa }
blockquote { margin: 0 0 12px; padding: 2px 16px; border-left: 4px solid #d1d9e0; color: #59636e }
blockquote.caution { border-color: #cf222e; color: #1f2328 } .caution > p:first-child b { color: #cf222e }
blockquote.note { border-color: #0969da; color: #1f2328 } .note > p:first-child b { color: #0969da }
blockquote.warning { border-color: #9a6700; color: #1f2328 } .warning > p:first-child b { color: #9a6700 }
details { margin-bottom: 8px } hr { border: 0; border-top: 2px solid #d1d9e0; margin: 16px 0 }
sub { font-size: 11px; color: #59636e; vertical-align: baseline }
sub code { font-size: 10.5px; overflow-wrap: anywhere }
"""


def pages() -> dict[str, str]:
    """The page of every picture, made by the commands on an embedded portal."""
    with workplace():
        said("init")
        said("apply", "--auto-approve")
        edit_specs()
        comment = said("plan", "-o", "markdown")
        labels = Path("specs/associations.yaml")
        text = labels.read_text("utf-8")
        assert RELABELLED[0] in text
        head, tail = text.replace(*RELABELLED).split(f"{RELABELLED[1]}\n")
        labels.write_text(f"{head}{RELABELLED[1]}\n{ADDED}{tail}", "utf-8")
        report = said("plan", "-o", "html")
    with workplace():
        said("init")
        said("apply", "--auto-approve")
        move_portal()
        issue = said("drift", "-o", "markdown")
    return {
        "plan-comment": on_the_host(steady(comment), "commented", "bot"),
        "drift-issue": on_the_host(steady(issue), "opened this issue", "hubspot-drift"),
        "report": steady(unembedded(report)) + "\n",
    }


def unembedded(report: str) -> str:
    """A report without its document and digest, which no picture shows: times, and ids given in the order of writes."""
    report = re.sub(r"<code>sha256:[0-9a-f]{64}</code>", "<code>sha256</code>", report)
    return re.sub(r'(<script type="application/json" id="document">).*?(</script>)', r"\1\2", report, flags=re.DOTALL)


def on_the_host(markdown: str, did: str, badge: str) -> str:
    """Markdown in a box, about as a host shows it: its first folded part is open."""
    body = MarkdownIt("commonmark").enable("table").render(markdown)
    body = re.sub(
        r"<blockquote>\s*<p>\[!([A-Z]+)\]\s*",
        lambda kind: f'<blockquote class="{kind[1].lower()}">\n<p><b>{kind[1].title()}</b></p>\n<p>',
        body,
    )
    body = re.sub(r'(<code class="language-diff">)(.*?)(</code>)', coloured, body, flags=re.DOTALL)
    return f"""<!doctype html>
<meta charset="utf-8">
<style>{STYLE}</style>
<div class="box"><div class="who"><i>{badge}</i><b>github-actions</b> {did}</div><div class="text">
{body.replace("<details>", "<details open>", 1)}</div></div>
"""


def coloured(fence: re.Match[str]) -> str:
    """The lines of a diff in their colours."""
    tones = {"+": "add", "-": "cut", "@": "hunk"}
    lines = [f'<span class="{tones.get(line[:1], "same")}">{line}</span>' for line in fence[2].splitlines()]
    return "".join([fence[1], *lines, fence[3]])


def hashes(made: dict[str, str]) -> str:
    """What ``pages.json`` holds: the hash of each page."""
    return json.dumps({name: sha256(page.encode()).hexdigest() for name, page in made.items()}, indent=2) + "\n"


def draw(made: dict[str, str]) -> None:
    """Takes a picture of every page."""
    from selenium import webdriver

    with tempfile.TemporaryDirectory() as folder:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or "chromium"
        for flag in (*FLAGS, f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},800"):
            options.add_argument(flag)
        driver = webdriver.ChromeService(shutil.which("chromedriver") or "chromedriver")
        session = webdriver.Chrome(options=options, service=driver)
        try:
            for name, (page, start, tallest, scale) in CUTS.items():
                path = Path(folder, f"{page}.html")
                path.write_text(made[page], "utf-8")
                session.get(path.as_uri())
                top = session.execute_script(TOP, start)
                height = min(session.execute_script("return document.documentElement.scrollHeight") - top, tallest)
                clip = {"x": 0, "y": top, "width": WIDTH, "height": height, "scale": scale}
                shot = session.execute_cdp_cmd(
                    "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True}
                )
                (PICTURES / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
        finally:
            session.quit()


if __name__ == "__main__":
    made = pages()
    PICTURES.mkdir(exist_ok=True)
    draw(made)
    HASHES.write_text(hashes(made), "utf-8")
