"""The JSON Schema of spec files, put together from the kinds, with a hover text on everything that can be written.

It is the one description of the spec language: committed as ``specs/schema.json`` for editors, printed by
``reconciler schema``, compiled into ``_accept.py``, and asked for messages when a file is refused.
"""

import json
from collections.abc import Mapping

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
    """The JSON Schema (draft-07) of a spec file."""
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
        "properties": {name: _with_hover_texts(name, section) for name, section in sections.items()},
        "patternProperties": {
            NOTES: {"description": "Notes of yours and a place for anchors; never compared, never sent."}
        },
        "definitions": {name: _with_hover_texts(name, section) for name, section in shared.items()},
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


def _with_hover_texts(name: str, part: Json) -> Json:
    """The same schema with the texts that editors show for a key, in Markdown."""
    if isinstance(part, list):
        return [_with_hover_texts(name, one) for one in part]
    if not isinstance(part, Mapping):
        return part
    texts = {"markdownDescription": _hover_text(name, part)} if isinstance(part.get("description"), str) else {}
    return {**{key: _below(name, key, below) for key, below in part.items()}, **texts}


def _below(name: str, keyword: str, below: Json) -> Json:
    if keyword == "properties":
        return {key: _with_hover_texts(key, one) for key, one in below.items()}
    if keyword in ("additionalProperties", "items", "oneOf", "anyOf"):
        return _with_hover_texts(name, below)
    return below


def _hover_text(name: str, part: Mapping[str, Json]) -> str:
    lines = [f"**{name}**: {part['description']}"]
    if "enum" in part:
        lines.append("One of " + ", ".join(f"`{value}`" for value in part["enum"]) + ".")
    if "required" in part:
        lines.append("Needs " + ", ".join(f"`{key}`" for key in part["required"]) + ".")
    return "\n\n".join(lines)
