"""Entries of HubSpot's lists that are not as HubSpot sends them: looked for only where one of them stopped a run.

To look at each field of each definition would take longer than to plan, so nothing is checked beforehand. What goes
wrong with an answer in hand is a bug of ours, unless an entry of the answer is one that HubSpot never sends.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from reconciler.errors import UnavailableError
from reconciler.model import Json, Reads

_TEXT: tuple[type, ...] = (str, type(None))
_TIME: tuple[type, ...] = (str, int, type(None))
# By the part of a path that tells what a list is of: what each entry has, and of which type; others may be missing.
_PROPERTY: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    **dict.fromkeys(("label", "description", "groupName", "type", "fieldType"), _TEXT),
    **dict.fromkeys(("calculationFormula", "currencyPropertyName", "referencedObjectType"), _TEXT),
    **dict.fromkeys(("createdAt", "updatedAt"), _TIME),
    "displayOrder": (int, type(None)),
    "modificationMetadata": (dict, type(None)),
    "options": (list, type(None)),
}
_OPTION: Mapping[str, tuple[type, ...]] = {
    "value": (str,),
    **dict.fromkeys(("label", "description"), _TEXT),
    "displayOrder": (int, type(None)),
}
_GROUP: Mapping[str, tuple[type, ...]] = {"name": (str,), "label": (str,), "displayOrder": (int, type(None))}
_PIPELINE: Mapping[str, tuple[type, ...]] = {"id": (str,), "stages": (list,)}
_STAGE: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "label": (str,),
    "displayOrder": (int,),
    **dict.fromkeys(("createdAt", "updatedAt"), _TIME),
}
_LABEL: Mapping[str, tuple[type, ...]] = {"typeId": (int,), "label": _TEXT}
_SCHEMA: Mapping[str, tuple[type, ...]] = {"name": (str,), "objectTypeId": (str,)}
_WITHIN = {"options": _OPTION, "stages": _STAGE}


@contextmanager
def understood(reads: Reads) -> Iterator[None]:
    """Work on what was read; what goes wrong is said of the entry that is to blame, where there is one."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        for path, answer in reads.items():
            for entry in answer.results if isinstance(answer.body, Mapping) and "results" in answer.body else ():
                if wrong := _odd(entry, _expected(path)):
                    hint = "HubSpot sends no such thing: try again, or record the read anew if it comes from a file"
                    raise UnavailableError(f"{path}: {wrong}", where=path, hint=hint) from error
        raise


def _expected(path: str) -> Mapping[str, tuple[type, ...]]:
    plain = path.partition("?")[0]
    if plain.endswith("/groups"):
        return _GROUP
    kinds = {"/properties/": _PROPERTY, "/pipelines/": _PIPELINE, "/associations/": _LABEL, "/crm-object-": _SCHEMA}
    return next((expected for part, expected in kinds.items() if part in plain), {})


def _odd(entry: Json, expected: Mapping[str, tuple[type, ...]]) -> str:
    """What is wrong with an entry, and with what it lists; nothing where all is as it should be."""
    if not isinstance(entry, dict):
        return f"{entry!r} stands where an entry should"
    called = next((repr(entry[key]) for key in ("name", "value", "id", "typeId") if key in entry), "an entry")
    for key, types in expected.items():
        if not isinstance(entry.get(key), types) or isinstance(entry.get(key), bool):
            return f"{key} of {called} is {entry[key]!r}" if key in entry else f"{called} has no {key}"
    for key, inner in _WITHIN.items():
        for one in (entry.get(key) or ()) if key in expected else ():
            if wrong := _odd(one, inner):
                return f"{wrong}, in {called}"
    return ""
