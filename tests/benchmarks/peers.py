"""The same amount of configuration for other reconcilers, made up alike: nothing to do, or one thing in a hundred.

    python -m tests.benchmarks.peers PLACE SIZE     makes their inputs and prints their commands as JSON

Each works on files alone, without a network. ``octodns-sync`` and ``terraform`` are taken where they are on the PATH,
Alembic from the Python that ``PEER_PYTHON`` names; what is not there has no row. In fairness:

- octoDNS reads YAML on both sides (ours reads JSON on one), with PyYAML's slow loader.
- Terraform is its engine alone: a built-in resource, no provider, its state written here. A provider adds a request
  for each resource.
- Alembic reads no files at all: the metadata are Python objects, the other side is SQLite.
"""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.made_up import Property, changed, properties


class Peer(NamedTuple):
    """Another reconciler: its name with its version, and its commands for nothing changed and one in a hundred."""

    name: str
    same: Sequence[str]
    changed: Sequence[str] = ()


def found(place: Path, listed: list[Property]) -> list[Peer]:
    """The peers on this machine, each with its inputs made below a directory."""
    makers = (octodns, terraform, alembic)
    return [peer for maker in makers if (peer := maker(place / maker.__name__, listed))]


def octodns(place: Path, listed: list[Property]) -> Peer | None:
    """A property is a record: a text, or as many mail exchangers as it has options."""
    program = shutil.which("octodns-sync")
    if program is None:
        return None
    words = []
    for name, records in (("same", listed), ("changed", changed(listed))):
        for side, content in (("source", records), ("target", listed)):
            zone = place / name / side / "example.com.yaml"
            zone.parent.mkdir(parents=True)
            zone.write_text("---\n" + "".join(map(_record, content)))
        providers = "".join(
            f"  {side}:\n    class: octodns.provider.yaml.YamlProvider\n"
            f"    directory: {place / name / side}\n    enforce_order: false\n"
            for side in ("source", "target")
        )
        zones = "zones:\n  example.com.:\n    sources: [source]\n    targets: [target]\n"
        config = place / name / "config.yaml"
        config.write_text(f"---\nmanager:\n  max_workers: 1\nproviders:\n{providers}{zones}")
        words.append((program, "--quiet", "--config-file", str(config)))
    return Peer(f"octoDNS {_first_number(program, '--version')}", *words)


def _record(one: Property) -> str:
    name = one.name.replace("_", "-")
    if one.type != "enumeration":
        text = f"{one.label} {one.description}".strip().rstrip(".")
        return f"{name}:\n  ttl: 300\n  type: TXT\n  value: {text}\n"
    values = "".join(
        f"  - exchange: {value.replace('_', '-')}.example.net.\n    preference: {place}\n"
        for place, (value, _, _) in enumerate(one.options)
    )
    return f"{name}:\n  ttl: 3600\n  type: MX\n  values:\n{values}"


def terraform(place: Path, listed: list[Property]) -> Peer | None:
    """A property is a block of the built-in ``terraform_data``."""
    program = shutil.which("terraform")
    if program is None:
        return None
    words = []
    for name, wanted in (("same", listed), ("changed", changed(listed))):
        folder = place / name
        folder.mkdir(parents=True)
        blocks = {one.name: {"input": _attributes(one)} for one in wanted}
        (folder / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": blocks}}))
        state = {"version": 4, "terraform_version": "1.0.0", "serial": 1, "lineage": str(uuid.uuid4()), "outputs": {}}
        (folder / "terraform.tfstate").write_text(json.dumps({**state, "resources": [_applied(one) for one in listed]}))
        subprocess.run((program, f"-chdir={folder}", "init", "-input=false"), check=True, capture_output=True)
        words.append((program, f"-chdir={folder}", "plan", "-input=false", "-lock=false", "-detailed-exitcode"))
    return Peer(f"Terraform {_first_number(program, 'version')}", *words)


def _attributes(one: Property) -> dict[str, object]:
    options = [{"label": label, "value": value, "hidden": hidden} for value, label, hidden in one.options]
    plain = {"label": one.label, "type": one.type, "fieldType": one.field_type, "description": one.description}
    return {**plain, "groupName": one.group, "hidden": one.hidden, "formField": one.form_field, "options": options}


def _applied(one: Property) -> dict[str, object]:
    """A resource as the state holds it after an apply."""
    attributes = _attributes(one)
    value = {"value": attributes, "type": _type(attributes)}
    held = {"id": str(uuid.uuid5(uuid.NAMESPACE_DNS, one.name)), "input": value, "output": value}
    instance = {"schema_version": 0, "attributes": {**held, "triggers_replace": None}, "sensitive_attributes": []}
    kind = {"mode": "managed", "type": "terraform_data", "provider": 'provider["terraform.io/builtin/terraform"]'}
    return {**kind, "name": one.name, "instances": [instance]}


def _type(value: object) -> object:
    if isinstance(value, dict):
        return ["object", {key: _type(inner) for key, inner in value.items()}]
    if isinstance(value, list):
        return ["tuple", [_type(inner) for inner in value]]
    return "bool" if isinstance(value, bool) else "string"


COMPARE = """\
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

metadata = sqlalchemy.MetaData()
for table in range({tables}):
    columns = [sqlalchemy.Column(f"c{{one:02d}}", sqlalchemy.String(100)) for one in range(50)]
    key = sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True)
    sqlalchemy.Table(f"t{{table:04d}}", metadata, key, *columns)
engine = sqlalchemy.create_engine("sqlite:///{database}")
if {make}:
    metadata.create_all(engine)
else:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={{"compare_type": True}})
        assert compare_metadata(context, metadata) == []
"""


def alembic(place: Path, listed: list[Property]) -> Peer | None:
    """A property is a column, fifty to a table."""
    python = os.environ.get("PEER_PYTHON", "")
    if not python:
        return None
    place.mkdir()
    scripts = {}
    for make in (True, False):
        scripts[make] = place / f"{'make' if make else 'compare'}.py"
        text = COMPARE.format(tables=len(listed) // 50, database=place / "tables.db", make=make)
        scripts[make].write_text(text)
    subprocess.run((python, str(scripts[True])), check=True)
    version = "import alembic; print(alembic.__version__)"
    return Peer(f"Alembic {_first_number(python, '-c', version)}", (python, str(scripts[False])))


def _first_number(*words: str) -> str:
    """The version that a program prints."""
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return next(word.strip("v,") for word in said.split() if word.strip("v,")[:1].isdigit())


if __name__ == "__main__":
    print(json.dumps(found(Path(sys.argv[1]), properties(int(sys.argv[2])))))
