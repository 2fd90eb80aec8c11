"""The association labels of a document as a Mermaid diagram, which GitHub and GitLab draw in comments and files.

Mermaid refuses more than 500 edges or 50,000 characters, and nobody reads that many: what changes is drawn, with what
else stands between the same objects, and nothing when nothing changes.
"""

from collections.abc import Iterator, Mapping

from reconciler.model import Json
from reconciler.render.escape import mermaid as shown
from reconciler.render.words import clip

MOST = 60  # edges
LINES = {"added": ("==>", "+ "), "removed": ("-.->", "- "), "changed": ("==>", "~ "), "same": ("-->", "")}
COLORS = {"added": "#1a7f37", "removed": "#cf222e", "changed": "#9a6700", "same": "#8c959f"}


def labels(model: Mapping[str, Json]) -> list[str]:
    """The lines of a diagram; none when no label changes, or too many to draw."""
    drawn = neighbourhood(model)
    if not drawn or len(drawn) > MOST:
        return []
    ids = {name: f"o{at}" for at, name in enumerate(dict.fromkeys(end for one in drawn for end in _ends(one)))}
    lines = ["flowchart LR", *(f'  {key}["{shown(clip(name, 80))}"]' for name, key in ids.items())]
    for one in drawn:
        arrow, sign = LINES[one["state"]]
        lines.append(f'  {ids[one["from"]]} {arrow}|"{shown(sign + _text(one))}"| {ids[one["to"]]}')
    return [*lines, *_colors(drawn)]


def neighbourhood(model: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The labels between objects of which some label changes."""
    all_of_them = model.get("associationLabels", ())
    touched = {_ends(one) for one in all_of_them if one["state"] != "same"}
    return [one for one in all_of_them if _ends(one) in touched]


def _ends(one: Mapping[str, Json]) -> tuple[str, str]:
    return one["from"], one["to"]


def _text(one: Mapping[str, Json]) -> str:
    inverse = one.get("inverseLabel")
    both = f"{one['label']} / {inverse}" if inverse and inverse != one["label"] else one["label"]
    return clip(both, 120)


def _colors(drawn: list[Mapping[str, Json]]) -> Iterator[str]:
    for state, color in COLORS.items():
        these = [str(at) for at, one in enumerate(drawn) if one["state"] == state]
        if these:
            yield f"  linkStyle {','.join(these)} stroke:{color},color:{color}"
