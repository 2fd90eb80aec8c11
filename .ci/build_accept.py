#!/usr/bin/env python3
"""Writes what is generated from the kinds: ``reconciler/_accept.py`` and the committed schema."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from reconciler import schema, settings  # noqa: E402
from reconciler.schema_compiler import compile_schemas  # noqa: E402


def generated() -> dict[Path, str]:
    """The generated files and their content."""
    schemas = {"spec": schema.grammar(), "settings": settings.SCHEMA}
    return {
        ROOT / "reconciler" / "_accept.py": compile_schemas(schemas, ".ci/build_accept.py"),
        ROOT / "specs" / "schema.json": schema.text(schema.schema()),
        ROOT / "reconciler" / "template" / "schema.json": schema.text(schema.schema()),
    }


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
