"""Documents as lines of JSON: the results of a fleet, one a line, for whatever reads logs; others in one line."""

import json

from reconciler.render.style import Style
from reconciler.render.words import Document


def render(document: Document, style: Style) -> str:
    """One line a portal of a fleet, or the whole document in one line."""
    parts = document["portals"] if document.get("kind") == "fleet" else [document]
    return "".join(json.dumps(one, sort_keys=True, separators=(",", ":")) + "\n" for one in parts)
