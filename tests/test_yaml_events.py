"""The door to PyYAML's parsers."""

import threading

import pytest
import yaml
from yaml import events

from reconciler.yaml_events import ALIAS, END, MAPPING, OTHER, SEQUENCE, STREAM_END, reading
from reconciler.yaml_loader import load

PARSERS = [yaml.CSafeLoader, yaml.SafeLoader]
TEXT = b"a: &x !!str 'one'\nb: [*x, {}]\n"


def _read(data: bytes, parser: type) -> list[tuple[object, ...]]:
    found = []
    with reading(data, parser) as get:
        while not found or found[-1][0] is not STREAM_END:
            what, style, tag, anchor, mark = get()
            found.append((what, style or "", tag, anchor, mark and (mark.line, mark.column)))
    return found


@pytest.mark.parametrize("parser", PARSERS)
def test_both_parsers_of_pyyaml_give_the_same_tuples(parser):
    """Whether PyYAML takes the stand-ins or gives its own objects, the events are the same."""
    assert _read(TEXT, parser) == [
        (OTHER, "", None, None, (0, 0)),
        (MAPPING, "", None, None, (0, 0)),
        ("a", "", None, None, (0, 0)),
        ("one", "'", "tag:yaml.org,2002:str", "x", (0, 3)),
        ("b", "", None, None, (1, 0)),
        (SEQUENCE, "", None, None, (1, 3)),
        (ALIAS, "", None, "x", (1, 4)),
        (MAPPING, "", None, None, (1, 8)),
        (END, "", None, None, None),
        (END, "", None, None, None),
        (END, "", None, None, None),
        (OTHER, "", None, None, (2, 0)),
        (STREAM_END, "", None, None, (2, 0)),
    ]


def test_the_c_parser_of_this_pyyaml_takes_the_stand_ins():
    """Its own method is handed out: no object was made that has to be turned into a tuple."""
    with reading(b"a") as get:
        assert get.__name__ == "get_event"


@pytest.mark.parametrize("data", [b"a: 1\n", b"a: [", b"\x01", b"- " * 100])
def test_pyyaml_is_as_it_was_after_every_file(data):
    """Who reads events with PyYAML in the same process gets its classes, after broken files too."""
    load(data, "a.yaml")
    found = [event.__class__ for event in yaml.parse(b"a: 1", Loader=yaml.CSafeLoader)]
    assert found[2:5] == [events.MappingStartEvent, events.ScalarEvent, events.ScalarEvent]


def test_threads_that_read_at_the_same_time_do_not_disturb_each_other():
    """One that is done does not take the stand-ins away from the others."""
    text = "a:\n" + "  - {b: c, d: 'e'}\n" * 2000
    found = []
    threads = [threading.Thread(target=lambda: found.append(load(text, "a.yaml").value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"a": [{"b": "c", "d": "e"}] * 2000}] * 8
