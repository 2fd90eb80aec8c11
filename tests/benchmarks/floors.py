"""What the least that could do the job costs: the denominators of every ratio.

python tests/benchmarks/floors.py events SPEC RECORDED...  drains the YAML events and reads the JSON, builds nothing
python tests/benchmarks/floors.py serial URL PATH...       fetches these paths in turn, on one connection
python tests/benchmarks/floors.py dump CONTENT TARGET      yaml.CSafeDumper of what a spec says
python tests/benchmarks/floors.py write CONTENT TARGET     our own writer, to compare with that
python tests/benchmarks/floors.py load DOCUMENT            json.loads of a document
"""

import json
import sys


def events(spec: str, *recorded: str) -> list[object]:
    """Every event of PyYAML's C parser, and ``json.loads``."""
    from yaml._yaml import CParser
    from yaml.events import StreamEndEvent

    get = CParser(_read(spec).decode()).get_event
    while get().__class__ is not StreamEndEvent:
        pass
    return [json.loads(_read(one)) for one in recorded]


def serial(url: str, *paths: str) -> None:
    """One request after the other."""
    import httpx

    with httpx.Client(base_url=url, trust_env=False) as client:
        for path in paths:
            client.get(path).json()


def dump(content: str, target: str) -> None:
    """What most tools write YAML with."""
    import yaml

    value = json.loads(_read(content))
    _write(target, yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False))


def write(content: str, target: str) -> None:
    """What `import` writes YAML with."""
    from reconciler import yaml_writer

    _write(target, yaml_writer.dump(json.loads(_read(content))))


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _write(target: str, text: str) -> None:
    with open(target, "w", encoding="utf-8") as stream:
        stream.write(text)


def load(document: str) -> None:
    """The least that rendering a saved document needs."""
    json.loads(_read(document))


if __name__ == "__main__":
    named = {"events": events, "serial": serial, "dump": dump, "write": write, "load": load}
    named[sys.argv[1]](*sys.argv[2:])
