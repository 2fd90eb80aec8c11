"""What the least that could do the job costs: the denominators of every ratio.

python -m tests.benchmarks.floors events SPEC RECORDED...  drains the YAML events and reads the JSON, builds nothing
python -m tests.benchmarks.floors serial URL PATH...       fetches these paths in turn, on one connection
python -m tests.benchmarks.floors dump CONTENT TARGET      yaml.CSafeDumper of what a spec says
python -m tests.benchmarks.floors write CONTENT TARGET     our own writer, to compare with that
python -m tests.benchmarks.floors load DOCUMENT            json.loads of a document
"""

import json
import sys
from pathlib import Path
from typing import Any


def events(spec: str, *recorded: str) -> list[Any]:
    """Every event of PyYAML's C parser, and ``json.loads``."""
    from yaml._yaml import CParser
    from yaml.events import StreamEndEvent

    get = CParser(Path(spec).read_text(encoding="utf-8")).get_event
    while get().__class__ is not StreamEndEvent:
        pass
    return [json.loads(Path(one).read_bytes()) for one in recorded]


def serial(url: str, *paths: str) -> None:
    """One request after the other."""
    import httpx

    with httpx.Client(base_url=url, trust_env=False) as client:
        for path in paths:
            client.get(path).json()


def dump(content: str, target: str) -> None:
    """What most tools write YAML with."""
    import yaml

    value = json.loads(Path(content).read_bytes())
    Path(target).write_text(yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")


def write(content: str, target: str) -> None:
    """What `import` writes YAML with."""
    from reconciler import yaml_writer

    Path(target).write_text(yaml_writer.dump(json.loads(Path(content).read_bytes())), encoding="utf-8")


def load(document: str) -> None:
    """The least that rendering a saved document needs."""
    json.loads(Path(document).read_bytes())


if __name__ == "__main__":
    named = {"events": events, "serial": serial, "dump": dump, "write": write, "load": load}
    named[sys.argv[1]](*sys.argv[2:])
