"""Whole documents as a person sees them."""

from pathlib import Path

import pytest
from render_documents import ALL

from reconciler.render import FORMATS, Style

GOLDEN = Path(__file__).parent / "golden"
WIDE = Style(width=120)
FILES = [
    *((f"{name}.txt", "text", name, Style(width=100)) for name in ALL),
    *((f"{name}.md", "markdown", name, WIDE) for name in ALL),
    ("plan-80-columns.txt", "text", "plan", Style(width=80)),
    ("plan-color.txt", "text", "plan", Style(color=True)),
    ("plan-ascii.txt", "text", "plan", Style(unicode=False)),
    ("hostile-color.txt", "text", "hostile", Style(color=True)),
    ("hostile.json", "json", "hostile", WIDE),
]


@pytest.mark.parametrize(("file", "format_", "name", "style"), FILES, ids=[file for file, *_ in FILES])
def test_golden(file: str, format_: str, name: str, style: Style, update_golden: bool) -> None:
    """A document looks exactly as its golden file; a change of a renderer shows as a diff of these files."""
    shown = FORMATS[format_](ALL[name], style)
    if update_golden:
        (GOLDEN / file).write_bytes(shown.encode())
    assert (GOLDEN / file).read_bytes().decode() == shown
