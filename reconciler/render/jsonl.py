"""Documents as lines of JSON: the results of a fleet, one a line, for whatever reads logs; others in one line."""

import json

from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.style import Style
from reconciler.render.words import Document


def render(document: Document, style: Style) -> str:
    """One line a portal of a fleet, or the whole document in one line."""
    parts = document.get("portals", ()) if document.get("kind") == "fleet" else [document]
    return "".join(line(one) + "\n" for one in parts)


def line(value: Json) -> str:
    """A value in one line, harmless wherever it is printed."""
    return escape.json_text(json.dumps(value, sort_keys=True, separators=(",", ":")))
