"""The JSON Schema of spec files, put together from the kinds, with a hover text on everything that can be written.

It is the one description of the spec language. Its grammar is compiled into ``_accept.py`` and asked for messages when
a file is refused. With the conditions between fields, which the kinds' own checks say better and an editor would not
know, it is committed as ``specs/schema.json`` and printed by ``reconciler schema``.
"""

import json
import re
from collections.abc import Callable, Mapping

from reconciler import integrations
from reconciler.kinds import kinds
from reconciler.model import Json
from reconciler.object_types import TYPE_IDS

DRAFT = "http://json-schema.org/draft-07/schema#"
NOTES = "^x-"
REMOVED: Mapping[str, Json] = {
    "title": "Removed",
    "description": "The only way anything is deleted: one line for each definition, option, stage or label.",
    "type": "array",
    "items": {
        "title": "Removal",
        "description": "What goes, and why.",
        "type": "object",
        "additionalProperties": False,
        "required": ["address", "reason"],
        "properties": {
            "address": {
                "type": "string",
                "minLength": 1,
                "description": "The path of the entry in the specs, such as properties/contacts/old_score or "
                "properties/contacts/plan_tier/options/legacy; / and % inside a name are percent-encoded.",
            },
            "reason": {"type": "string", "minLength": 1, "description": "Why it goes; the plan shows it."},
            "requireNoValues": {
                "type": "boolean",
                "description": "Only while no record holds a value, or the option, that would be lost.",
            },
        },
    },
}


def schema() -> dict[str, Json]:
    """The JSON Schema (draft-07) of a spec file that stands on its own, for editors."""
    return _walked("", _walked("", _whole(), _narrowed), _with_texts)  # type: ignore[no-any-return]


def grammar() -> dict[str, Json]:
    """The same without conditions between fields, which an overlay, or a kind's check, may see otherwise."""
    return _walked("", _walked("", _whole(), _unconditional), _with_texts)  # type: ignore[no-any-return]


def settings_schema() -> dict[str, Json]:
    """The JSON Schema of ``reconciler.yaml``."""
    from reconciler.settings import SCHEMA

    return {"$schema": DRAFT, **_walked("", SCHEMA, _with_texts)}


def _whole() -> dict[str, Json]:
    shared: dict[str, Json] = {}
    sections = {kind.NAME: _offering(kind.SCHEMA, depth(kind.SCHEMA) - 1, kind.NAME, shared) for kind in kinds()}
    sections[integrations.NAME] = integrations.SCHEMA
    sections["removed"] = REMOVED
    return {
        "$schema": DRAFT,
        "title": "Spec of hubspot-reconciler",
        "description": "What a HubSpot portal should look like. What is absent is not yours: neither compared, nor "
        "changed, nor deleted.",
        "type": "object",
        "additionalProperties": False,
        "properties": sections,
        "patternProperties": {
            NOTES: {"description": "Notes of yours and a place for anchors; never compared, never sent."}
        },
        "definitions": shared,
    }


def text(document: Json) -> str:
    """A schema as it is committed and printed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def document_schema(name: str) -> dict[str, Json]:
    """The JSON Schema of a document that ``-o json`` writes: plan, apply or drift."""
    from reconciler.document_schemas import documents

    return {"$schema": DRAFT, **documents()[name]}


def depth(section: Mapping[str, Json]) -> int:
    """How many names lead from a section to one of its entries; one where the section is a list."""
    if section["type"] == "array":
        return 1
    below = section.get("additionalProperties")
    return 1 + depth(below) if isinstance(below, Mapping) else 0


def entry_schema(section: Mapping[str, Json]) -> Mapping[str, Json]:
    """The schema of one entry of a section."""
    if section["type"] == "array":
        item: Mapping[str, Json] = section["items"]
        return item
    below = section.get("additionalProperties")
    return entry_schema(below) if isinstance(below, Mapping) else section


def _offering(level: Mapping[str, Json], levels: int, name: str, shared: dict[str, Json]) -> Mapping[str, Json]:
    """A section in which editors can offer HubSpot's object types as keys; what lies below them is shared."""
    if levels == 0:
        return level
    key = f"{name}{levels}" if levels > 1 else name
    shared[key] = _offering(level["additionalProperties"], levels - 1, name, shared)
    below = {"$ref": f"#/definitions/{key}"}
    return {**level, "properties": dict.fromkeys(TYPE_IDS, below), "additionalProperties": below}


def _walked(name: str, part: Json, change: Callable[[str, Mapping[str, Json]], Json]) -> Json:
    """A schema in which each part that says what can be written is changed, the innermost first."""
    if isinstance(part, list):
        return [_walked(name, one, change) for one in part]
    if not isinstance(part, Mapping):
        return part
    return change(name, {keyword: _below(name, keyword, below, change) for keyword, below in part.items()})


def _below(name: str, keyword: str, below: Json, change: Callable[[str, Mapping[str, Json]], Json]) -> Json:
    if keyword in ("properties", "definitions"):
        return {key: _walked(key, one, change) for key, one in below.items()}
    if keyword in ("additionalProperties", "items", "oneOf", "anyOf"):
        return _walked(name, below, change)
    return below


def _unconditional(name: str, part: Mapping[str, Json]) -> Json:
    return {keyword: below for keyword, below in part.items() if keyword != "allOf"}


def _narrowed(name: str, part: Mapping[str, Json]) -> Json:
    """Choices that depend on another field stand in the conditions only, or editors would offer all of them always."""
    thens = [
        condition[branch] for condition in part.get("allOf", ()) for branch in ("then", "else") if branch in condition
    ]
    chosen = {key for then in thens for key, field in then.get("properties", {}).items() if "enum" in field}
    if not chosen:
        return part
    fields = {
        key: {keyword: below for keyword, below in field.items() if key not in chosen or not keyword.startswith("enum")}
        for key, field in part["properties"].items()
    }
    return {**part, "properties": fields}


def _with_texts(name: str, part: Mapping[str, Json]) -> Json:
    """The part with a title and the text that editors show for it, in Markdown."""
    if not isinstance(part.get("description"), str):
        return part
    titled = {} if "title" in part or not name else {"title": _title(name)}
    return {**titled, **part, "markdownDescription": _hover_text(part)}


def _title(name: str) -> str:
    """The name of a field as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _hover_text(part: Mapping[str, Json]) -> str:
    lines = [part["description"]]
    if "required" in part:
        lines.append("Needs " + ", ".join(f"`{key}`" for key in part["required"]) + ".")
    return "\n\n".join(lines)
