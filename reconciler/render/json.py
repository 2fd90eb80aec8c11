"""A document as JSON, the form that is saved, carried out and rendered again."""

import json
from collections.abc import Mapping

from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.style import Style


def render(document: Mapping[str, Json], style: Style) -> str:
    """The document in its own order of keys; no string of HubSpot's can break the encoding or act in a CI log."""
    return escape.json_text(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"
