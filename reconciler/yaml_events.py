"""The one door to PyYAML's parsers: the events of a file, as tuples.

For every event PyYAML makes an object of up to seven attributes, and that takes longer than libyaml takes to find
the event. Its C parser looks the classes of these objects up by name, in its own module, each time that it makes one.
So while a file is read here, functions that return a tuple stand under these names: a whole file then takes a third
less. Afterwards PyYAML is as it was. Parsers that do not care, like the one in Python, give their objects; these are
turned into the same tuples.
"""

from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from yaml import YAMLError as YAMLError
from yaml import events
from yaml.error import MarkedYAMLError as MarkedYAMLError
from yaml.reader import ReaderError as ReaderError

Mark = Any  # PyYAML's: `line` and `column` count from 0
Event = tuple[Any, str | None, str | None, str | None, Mark]
"""What begins or ends, the style (of a scalar; nothing where it is plain), the tag, the anchor, and where it stands.

What it is: the text of a scalar, or one of the signs below. The end of a mapping or list has no place.
"""
Parser = Callable[[bytes], Any]


class Sign:
    """What an event is that is no scalar."""


MAPPING, SEQUENCE, END, ALIAS, OTHER, STREAM_END = Sign(), Sign(), Sign(), Sign(), Sign(), Sign()

FAST: bool = yaml.__with_libyaml__  # whether PyYAML has its C parser
PARSER: Parser = yaml.CSafeLoader if FAST else yaml.SafeLoader


@contextmanager
def reading(data: bytes, parser: Parser = PARSER) -> Iterator[Callable[[], Event]]:
    """What returns the next event after the start of the stream; raises ``YAMLError`` for what is no YAML.

    One file is read after the other, by whatever threads: a reading inside of another would wait for ever.
    """
    with _STAND_INS_LOCK:
        try:
            _PLACE.update(_STAND_INS)
            get = parser(data).get_event
            light = get().__class__ is tuple
            yield get if light else lambda: _as_tuple(get())
        finally:
            _PLACE.update(_CLASSES)


# --- what stands in for PyYAML's classes, with the arguments that its C parser gives them -----------------------------


def _scalar(anchor: str | None, tag: str | None, _: object, text: str, start: Mark, end: Mark, style: str) -> Event:
    return text, style, tag, anchor, start


def _mapping(anchor: str | None, tag: str | None, _: object, start: Mark, end: Mark, flow: bool) -> Event:
    return MAPPING, None, tag, anchor, start


def _sequence(anchor: str | None, tag: str | None, _: object, start: Mark, end: Mark, flow: bool) -> Event:
    return SEQUENCE, None, tag, anchor, start


def _end(start: Mark, end: Mark, _end: Event = (END, None, None, None, None)) -> Event:
    return _end


def _alias(anchor: str, start: Mark, end: Mark) -> Event:
    return ALIAS, None, None, anchor, start


def _other(start: Mark, end: Mark, *_: object) -> Event:
    return OTHER, None, None, None, start


def _stream_end(start: Mark, end: Mark) -> Event:
    return STREAM_END, None, None, None, start


_STAND_INS: dict[str, Callable[..., Event]] = {
    "ScalarEvent": _scalar,
    "MappingStartEvent": _mapping,
    "MappingEndEvent": _end,
    "SequenceStartEvent": _sequence,
    "SequenceEndEvent": _end,
    "AliasEvent": _alias,
    "StreamStartEvent": _other,
    "StreamEndEvent": _stream_end,
    "DocumentStartEvent": _other,
    "DocumentEndEvent": _other,
}
_CLASSES = {name: getattr(events, name) for name in _STAND_INS}
_PLACE: dict[str, Any] = vars(yaml._yaml) if FAST else {}
_STAND_INS_LOCK = allocate_lock()  # a thread that is done would take them away from another one

_SIGNS = {
    events.MappingStartEvent: MAPPING,
    events.SequenceStartEvent: SEQUENCE,
    events.MappingEndEvent: END,
    events.SequenceEndEvent: END,
    events.AliasEvent: ALIAS,
    events.StreamEndEvent: STREAM_END,
}


def _as_tuple(event: Any) -> Event:
    """The same from an object of PyYAML."""
    if isinstance(event, events.ScalarEvent):
        return event.value, event.style, event.tag, event.anchor, event.start_mark
    sign = _SIGNS.get(event.__class__, OTHER)
    if sign is END:
        return _end(None, None)
    return sign, None, getattr(event, "tag", None), getattr(event, "anchor", None), event.start_mark
