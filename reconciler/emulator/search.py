"""Record search, as far as counting needs it: filter groups, an exact total, and a page of results.

Switch ``searchLag``: so many searches after it was written do not find a record yet.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.emulator.errors import invalid_json, validation_error
from reconciler.emulator.pipeline_defaults import EPOCH
from reconciler.emulator.properties import side
from reconciler.emulator.property_rules import (
    as_number,
    as_objects,
    as_text,
    as_texts,
    require_fields,
    scope_object,
)
from reconciler.emulator.routing import Request, Response, Route, versioned
from reconciler.emulator.store import Portal

Json = dict[str, Any]
Record = Mapping[str, Any]

PATH = versioned("objects") + "/(?P<object_type>[^/]+)/search"
MOST_GROUPS, MOST_FILTERS, MOST_IN_ALL = 5, 6, 18
LARGEST_PAGE, LAST_RESULT = 200, 10_000


def values_of(text: str) -> set[str]:
    """The values of a property; several checkboxes are one text."""
    return {value for value in text.split(";") if value}


def tokens_of(text: str) -> set[str]:
    """The words of a text in lower case, and the values of several checkboxes."""
    return {word.lower() for word in re.split(r"[\s;,@.]+", text) if word} | {one.lower() for one in values_of(text)}


def has_token(value: str, filters: Mapping[str, Any]) -> bool:
    """Whether a word is in the text; a star stands for any letters."""
    pattern = re.escape(str(filters["value"]).lower()).replace(r"\*", ".*")
    return any(re.fullmatch(pattern, token) for token in tokens_of(value))


def one_of(value: str, filters: Mapping[str, Any]) -> bool:
    """Whether one of the values is set."""
    return bool({value, *values_of(value)} & {str(one) for one in filters["values"]})


def between(value: str, low: Any, high: Any) -> bool:
    """Whether a value lies between two others, as numbers or else as texts; times are compared as they are written."""
    bounds = [str(low), value, str(high)]
    try:
        numbers = [float(one) for one in bounds]
    except ValueError:
        return bounds == sorted(bounds)
    return numbers == sorted(numbers)


OPERATORS: Mapping[str, Callable[[str, Mapping[str, Any]], bool]] = {
    "EQ": lambda value, filters: value == str(filters["value"]),
    "NEQ": lambda value, filters: value != str(filters["value"]),
    "IN": one_of,
    "NOT_IN": lambda value, filters: not one_of(value, filters),
    "HAS_PROPERTY": lambda value, _filters: value != "",
    "NOT_HAS_PROPERTY": lambda value, _filters: value == "",
    "CONTAINS_TOKEN": has_token,
    "NOT_CONTAINS_TOKEN": lambda value, filters: not has_token(value, filters),
    "LTE": lambda value, filters: between(value, value, filters["value"]),
    "GTE": lambda value, filters: between(value, filters["value"], value),
    "LT": lambda value, filters: not between(value, filters["value"], value),
    "GT": lambda value, filters: not between(value, value, filters["value"]),
    "BETWEEN": lambda value, filters: between(value, filters["value"], filters["highValue"]),
}
OPERAND: Mapping[str, str] = {"IN": "values", "NOT_IN": "values", "HAS_PROPERTY": "", "NOT_HAS_PROPERTY": ""}


def search(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Counts the records that any of the filter groups fits, and shows a page of them."""
    type_id = portal.object_type(parts["object_type"])
    request.require_any(f"crm.objects.{scope_object(portal, type_id)}.read")
    body = request.fields()
    groups = filter_groups(body)
    check_filters(portal, type_id, groups)
    limit, after = whole_number(body, "limit", 10), whole_number(body, "after", 0)
    if after < 0 or not 0 <= limit <= LARGEST_PAGE or after + limit > LAST_RESULT:
        raise validation_error(f"Paging is limited to {LARGEST_PAGE} records a page and {LAST_RESULT} in all")
    word = as_text("query", body.get("query") or "").lower()
    every = [(key, one) for key, one in indexed(portal, type_id).items() if not word or word in told(one)]
    found = [(record_id, record) for record_id, record in every if fits(groups, record)]
    names = as_texts("properties", body.get("properties"))
    page = [shown(record_id, record, names) for record_id, record in found[after:][:limit]]
    answer: Json = {"total": len(found), "results": page}
    if after + limit < len(found) and page:
        answer["paging"] = {"next": {"after": str(after + limit)}}
    return Response(200, answer)


def filter_groups(body: Mapping[str, Any]) -> list[Json]:
    """The filter groups of a body; each is any number of filters."""
    groups = as_objects("filterGroups", body.get("filterGroups"))
    return [{"filters": as_objects("filters", group.get("filters"))} for group in groups]


def whole_number(body: Mapping[str, Any], name: str, otherwise: int) -> int:
    """A number, which may be sent as its text."""
    value = body.get(name)
    text = "" if value is None else as_text(name, value)
    return as_number(name, int(text) if re.fullmatch(r"-?\d{1,10}", text) else value) if text else otherwise


def check_filters(portal: Portal, type_id: str, groups: Sequence[Json]) -> None:
    """Refuses too many filters, unknown operators, and properties that are not live."""
    filters = [one for group in groups for one in group["filters"]]
    largest = max((len(group["filters"]) for group in groups), default=0)
    if len(groups) > MOST_GROUPS or largest > MOST_FILTERS or len(filters) > MOST_IN_ALL:
        raise validation_error(
            f"A search takes at most {MOST_GROUPS} groups of {MOST_FILTERS} filters, {MOST_IN_ALL} in all"
        )
    known = {one["name"] for one in side(portal, type_id, archived=False, sensitivity="non_sensitive")}
    for one in filters:
        check_filter(one, known)


def check_filter(one: Mapping[str, Any], known: set[str]) -> None:
    """Refuses one filter that cannot be answered."""
    require_fields([one], ("propertyName", "operator"))
    if str(one["operator"]) not in OPERATORS:
        raise invalid_json(f"Cannot deserialize filter operator '{one['operator']}'")
    if operand := OPERAND.get(one["operator"], "value"):
        require_fields([one], (operand, "highValue") if one["operator"] == "BETWEEN" else (operand,))
    as_texts("values", one.get("values"))
    if as_text("propertyName", one["propertyName"]) not in known:
        message = f"Property '{one['propertyName']}' does not exist"
        raise validation_error("There was a problem with the request.", errors=[{"message": message}])


def indexed(portal: Portal, type_id: str) -> dict[str, Record]:
    """The records that the index knows: neither those in the recycle bin nor those that are too new."""
    every: Mapping[str, Json] = portal.state["records"].get(type_id, {})
    return {
        record_id: record
        for record_id, record in every.items()
        if not record.get("archived") and not overlooked(portal, record)
    }


def overlooked(portal: Portal, record: Json) -> bool:
    """Whether the index has not caught up with a record; this search counts."""
    early = int(record.get("missedBy", 0)) < int(portal.switches["searchLag"])
    if early:
        record["missedBy"] = int(record.get("missedBy", 0)) + 1
    return early


def told(record: Record) -> str:
    """All values of a record in lower case, for a query to look into."""
    return "\n".join(str(value).lower() for value in record["properties"].values() if value is not None)


def fits(groups: Sequence[Json], record: Record) -> bool:
    """Whether all filters of some group fit a record."""
    return not groups or any(all(matches(one, record) for one in group["filters"]) for group in groups)


def matches(one: Mapping[str, Any], record: Record) -> bool:
    """Whether one filter fits; a property that is not set only fits the operator that asks for that."""
    name = one["propertyName"]
    value = record["id"] if name == "hs_object_id" else record["properties"].get(name)
    text = "" if value is None else str(value)
    if text == "":
        return bool(one["operator"] == "NOT_HAS_PROPERTY")
    return OPERATORS[one["operator"]](text, one)


def shown(record_id: str, record: Record, names: Sequence[str]) -> Json:
    """A record as a search shows it."""
    created = record.get("createdAt", EPOCH)
    values = {name: record["properties"].get(name) for name in names}
    properties = {**values, "hs_object_id": record_id}
    times = {"createdAt": created, "updatedAt": record.get("updatedAt", created)}
    return {"id": record_id, "properties": properties, **times, "archived": False}


ROUTES: Sequence[Route] = [("POST", PATH, search)]
