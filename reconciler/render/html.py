"""A document as one self-contained page: no script, no network, dark and light, for the screen, paper and a reader."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from reconciler.model import Json
from reconciler.render import escape, html_pictures, html_view, text, text_drift
from reconciler.render.style import Style
from reconciler.render.summaries import summary
from reconciler.render.words import (
    BOOKKEEPING,
    PAST,
    Document,
    lines_of,
    moment,
    own_errors,
    portal,
    refusal,
    refused,
    unmanaged,
    unread,
)

if TYPE_CHECKING:
    from jinja2 import Template

AS_TEXT = ("doctor", "explain", "fleet")  # columns of a terminal are all that these need
_FLAG = re.compile("(--[a-z][a-z-]*)")  # a browser would break it at a hyphen
_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


def render(document: Document, style: Style) -> str:
    """The page; every string of HubSpot's is escaped by the template engine, and made harmless before that."""
    return _template().render(**_view(document, style)) + "\n"


def _view(document: Document, style: Style) -> Mapping[str, Json]:
    drift = document.get("kind") == "drift"
    groups = html_view.groups(document, style.origin)
    return {
        "kind": " ".join(filter(None, [document.get("kind") or "report", document.get("command")])),
        "portal": portal(document),
        "made": moment(str(document.get("generatedAt") or "")),
        "commit": style.origin.commit[:12],
        "summary": [(part, part.startswith("--")) for part in _FLAG.split(summary(document)) if part],
        "story": text_drift.story(document) if drift and "items" in document else "",
        "tiles": html_view.tiles(document),
        "errors": [{**error, "lines": lines_of(error["message"])} for error in own_errors(document)],
        "unread": list(unread(document)),
        "refused": [refusal(guard) for guard in refused(document)],
        "groups": groups,
        "lost": [card for group in groups for card in group.cards if card.lost],
        "findings": html_view.frames(document, style.origin),
        "told": _told(document),
        "files": document.get("files", ()),
        "beside": list(_beside(document)),
        "muted": text_drift.muted_line(document) if drift else "",
        "labels": html_pictures.labels(document),
        "stages": html_pictures.stages(document),
        "timeline": html_pictures.timeline(document),
        "coverage": html_pictures.coverage(document),
        "limits": html_pictures.limits(document),
        "resolved": document.get("resolved") or (),
        "digest": str(document.get("digest") or ""),
        "version": str((document.get("tool") or {}).get("version") or ""),
        "data": _embedded(document),
    }


def _told(document: Document) -> list[str]:
    """The lines of a document that has no pictures and no cards of its own, as on a terminal."""
    kind, style = document.get("kind", ""), Style(width=90)
    return style.page(text.BODIES[kind](document, style)).rstrip().splitlines() if kind in AS_TEXT else []


def _beside(document: Document) -> list[tuple[str, list[str]]]:
    """What is adopted, forgotten, moved and left alone, or not managed: a sentence, and names."""
    told: list[tuple[str, list[str]]] = []
    for action in BOOKKEEPING:
        if these := [one["address"] for one in document.get("changes", ()) if one["action"] == action]:
            told.append((f"{len(these):,} {PAST[action]}", these))
    if left := [item["address"] for item in document.get("drift", ())]:
        told.append((f"{len(left):,} also moved in HubSpot, and left alone", left))
    if rest := unmanaged(document):
        told.append((f"Not in the specs, left alone: {rest}", []))
    return told


def _embedded(document: Document) -> str:
    """The document as JSON that no browser takes for markup, whatever it holds."""
    from markupsafe import Markup

    data = escape.json_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
    return Markup(data.translate(_UNSAFE))


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("reconciler.render"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    return environment.get_template("report.html")


def _harmless(shown: Json) -> Json:
    """A string without characters that act or deceive; markup of our own passes."""
    return shown if not isinstance(shown, str) or hasattr(shown, "__html__") else escape.terminal(shown)
