import json
import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / ".github" / "pictures"
AGAIN = "run `.venv/bin/python .ci/build_pictures.py` (it needs Chromium) and look at the pictures"


def test_the_pictures_are_of_what_the_commands_write():
    """The pages that the pictures were taken of are, byte for byte, what the commands write now."""
    build = runpy.run_path(str(ROOT / ".ci" / "build_pictures.py"))
    taken = json.loads((PICTURES / "pages.json").read_text("utf-8"))

    assert json.loads(build["hashes"](build["pages"]())) == taken, AGAIN


def test_the_readme_shows_every_picture():
    """Every picture is in the README, with words for who does not see it, and every picture there exists."""
    shown = re.findall(r"!\[([^\]]{20,})\]\((\.github/pictures/[^)]+)\)", (ROOT / "README.md").read_text("utf-8"))

    assert sorted(path for _, path in shown) == sorted(f".github/pictures/{one.name}" for one in PICTURES.glob("*.png"))
    for _, path in shown:
        assert (ROOT / path).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n", AGAIN
