"""What the doctor found, as text: one line a check, the way out below what is wrong."""

from collections.abc import Iterator

from reconciler.render.style import Line, Span, Style, wrap
from reconciler.render.words import Document

SIGNS = {"ok": ("✓", "good"), "warning": ("!", "warn"), "error": ("✗", "bad"), "unknown": ("?", "dim")}


def lines(document: Document, style: Style) -> Iterator[Line]:
    """The checks in their order."""
    checks = document.get("checks", ())
    width = max([len(one["name"]) for one in checks], default=0)
    for one in checks:
        sign, role = SIGNS[one["status"]]
        head, *rest = wrap(one["message"], style.width - width - 6, "") or [""]
        yield (Span(f"  {sign} ", role), Span(f"{one['name']:<{width}}  ", "dim"), head)
        yield from (" " * (width + 6) + line for line in rest)
        if one["fix"].startswith("reconciler "):  # a command stays in one line, or nobody could paste it
            yield f"{' ' * (width + 6)}fix: {one['fix']}"
        elif one["fix"]:
            yield from wrap(f"fix: {one['fix']}", style.width, " " * (width + 11), " " * (width + 6))
    yield ""
