"""What a new portal holds: HubSpot's defaults, only what HubSpot cannot be without, or what a file says."""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reconciler.emulator import account, associations, pipelines, schemas
from reconciler.emulator.errors import ApiError
from reconciler.emulator.stage_properties import stage_properties
from reconciler.emulator.store import (
    STANDARD_NAMES,
    STATE_PARTS,
    Portal,
    SeedError,
    empty_object,
    empty_state,
    whole_state,
)

Json = dict[str, Any]

PROPERTY_KEYS = ("label", "type", "fieldType", "groupName", "options")
PIPELINE_KEYS = ("label", "displayOrder", "stages", "createdAt", "updatedAt")
STAGE_KEYS = ("label", "displayOrder", "metadata", "createdAt", "updatedAt")
CUSTOM = re.compile(r"2-\d+|p\d+_(?P<name>\w+)", re.ASCII)
DEFAULTS = Path(__file__).with_name("defaults.json.gz")
ESSENTIAL: Mapping[str, frozenset[str]] = {
    "contacts": frozenset(
        "email firstname lastname phone company jobtitle state industry createdate lastmodifieddate hs_object_id "
        "lifecyclestage hs_lead_status hubspot_owner_id hs_pipeline hs_analytics_source".split()
    ),
    "companies": frozenset(
        "name domain industry type country createdate hs_lastmodifieddate hs_object_id lifecyclestage hs_lead_status "
        "hubspot_owner_id hs_pipeline".split()
    ),
    "deals": frozenset(
        "dealname amount dealstage pipeline dealtype closedate closed_lost_reason createdate hs_object_id "
        "hubspot_owner_id".split()
    ),
    "tickets": frozenset(
        "subject content hs_pipeline hs_pipeline_stage hs_ticket_priority hs_ticket_category createdate hs_object_id "
        "hubspot_owner_id".split()
    ),
}
ESSENTIAL_ELSEWHERE = frozenset({"hs_object_id", "hs_createdate", "hs_lastmodifieddate", "hubspot_owner_id"})
OLDER_HOMES = {"contacts": "contactinformation", "companies": "companyinformation", "deals": "dealinformation"}
NEWER_GROUPS = {"sales_properties", "deal_information", "facebook_ads_properties", "contact_activity"}
NEWER_DATE, OLDER_TIME = "2020-06-30", "2019-08-06T02:41:08.000Z"


def seeded_state(seed: str | Path) -> Json:
    """The state of a new portal: ``default``, ``older``, ``empty``, or made from a saved file."""
    if str(seed) == "default":
        return standard_state(lambda _object, _name: True)
    if str(seed) == "older":
        return of_older_generation(standard_state(lambda _object, _name: True))
    if str(seed) == "empty":
        return standard_state(lambda name, one: one in ESSENTIAL.get(name, ESSENTIAL_ELSEWHERE))
    return state_of_file(Path(seed))


def standard_state(wanted: Callable[[str, str], bool]) -> Json:
    """A portal that holds the wanted ones of HubSpot's default properties."""
    state = empty_state()
    for name, shipped in read_defaults().items():
        definitions = state["objects"][STANDARD_NAMES[name]]
        kept = [one for one in shipped["properties"] if wanted(name, one["name"])]
        definitions["properties"] = {one["name"]: one for one in kept}
        definitions["groups"] = {group["name"]: group for group in shipped["groups"]}
    add_the_rest(state)
    return state


def of_older_generation(state: Json) -> Json:
    """The defaults as a portal of before 2020 has them: other dates, groups and labels (hubspot-api.md H.2)."""
    for name, home in OLDER_HOMES.items():
        definitions = state["objects"][STANDARD_NAMES[name]]
        for one in definitions["properties"].values():
            if one.get("createdAt", "").startswith(NEWER_DATE):
                one["createdAt"] = OLDER_TIME
            if one["groupName"] in NEWER_GROUPS:
                one["groupName"] = home
            one["label"] = one["label"].replace(" Traffic Source", " Source")
        for group in NEWER_GROUPS & definitions["groups"].keys():
            del definitions["groups"][group]
    return state


def add_the_rest(state: Json) -> None:
    """Fills in what is not property or group, and not there yet."""
    portal = Portal(state)
    for module in (pipelines, associations, schemas, account):
        module.seed(portal)


def read_defaults() -> dict[str, Json]:
    """HubSpot's default definitions by object name; made by ``.ci/build_defaults.py``."""
    shipped: dict[str, Json] = json.loads(gzip.decompress(DEFAULTS.read_bytes()))
    return shipped


def state_of_file(file: Path) -> Json:
    """A portal from a saved state, a snapshot, or one raw list answer whose object type is the file's name."""
    try:
        saved = json.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise SeedError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SeedError(f"{file}: is no JSON") from error
    if isinstance(saved, dict) and saved.keys() >= STATE_PARTS.keys():
        try:
            return whole_state(saved)
        except SeedError as error:
            raise SeedError(f"{file}: is no emulator state: {error}") from error
    if isinstance(saved, dict) and isinstance(saved.get("responses"), dict):
        return state_of_answers(saved["responses"], file)
    if isinstance(saved, dict) and isinstance(saved.get("results"), list):
        return state_of_answers({path_of_raw_list(file): saved}, file)
    raise SeedError(f"{file}: is no emulator state, no snapshot and no list answer of HubSpot")


def path_of_raw_list(file: Path) -> str:
    """The request that a raw list answers: ``contacts.json``, or ``pipelines_deals.json``."""
    prefix, _, name = file.stem.rpartition("pipelines_")
    area = "pipelines" if prefix or file.stem != name else "properties"
    if name not in STANDARD_NAMES:
        raise SeedError(f"{file}: name the file after the object type of its list, as in contacts.json")
    return f"/crm/v3/{area}/{name}"


def state_of_answers(responses: Mapping[str, Any], file: Path) -> Json:
    """A portal that answers as recorded; what was not recorded is as in an empty portal."""
    state = standard_state(lambda name, one: one in ESSENTIAL.get(name, ESSENTIAL_ELSEWHERE))
    for path, body in responses.items():
        if path.endswith("/details") and isinstance(body, dict) and "portalId" in body:
            if not isinstance(body["portalId"], int):
                raise SeedError(f"{file}: the answer of {path} is not what HubSpot gives: portalId is no number")
            state |= {"portalId": body["portalId"], "account": body}
    portal = Portal(state)
    lists = {path: body["results"] for path, body in responses.items() if is_list(body)}
    recorded = {play(portal, path, answer, file) for path, answer in sorted(lists.items())}
    for path, body in responses.items():
        with blamed(path, file):
            name_labels(portal, body)
    for type_id, definitions in state["objects"].items():
        definitions["groups"] |= missing_groups(definitions)
        if type_id in recorded:
            leave_out(portal, type_id)
    return state


def is_list(body: Any) -> bool:
    """Whether a recorded answer is one of HubSpot's lists, and not a refusal or a single thing."""
    return isinstance(body, dict) and isinstance(body.get("results"), list)


def play(portal: Portal, path: str, answer: Sequence[Json], file: Path) -> str:
    """Puts one recorded list into the portal; answers with the object type whose properties it held."""
    parts = urlsplit(path)
    words = [word for word in parts.path.split("/") if word and word != "crm" and not re.match(r"v\d|20\d\d-", word)]
    with blamed(path, file):
        match words:
            case [*_, "schemas"]:
                play_schemas(portal, answer)
            case ["properties", name, "groups"]:
                groups = named(answer, "name", ("label",))
                portal.definitions(object_type(portal, name))["groups"] = groups
            case ["properties", name]:
                return play_properties(portal, object_type(portal, name), answer, parts.query)
            case ["pipelines", name]:
                portal.state["pipelines"][object_type(portal, name)] = named(answer, "id", PIPELINE_KEYS)
                for one in answer:
                    named(one["stages"], "id", STAGE_KEYS)
            case ["associations", start, end, "labels"]:
                named(answer, "typeId", ("category",))
                associations.seed_labels(portal, object_type(portal, start), object_type(portal, end), answer)
    return ""


@contextmanager
def blamed(path: str, file: Path) -> Iterator[None]:
    """Says of which request the answer is that cannot be played."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ApiError) as error:
        raise SeedError(f"{file}: the answer of {path} is not what HubSpot gives: {error}") from error


def object_type(portal: Portal, segment: str) -> str:
    """The type id of a path; a custom object whose schema was not recorded is made up."""
    try:
        return portal.object_type(segment)
    except ApiError:
        if not (known := CUSTOM.fullmatch(segment)):
            raise
    type_id = segment if segment.startswith("2-") else f"2-{portal.next_id()}"
    name = known["name"] or f"object_{type_id[2:]}"
    qualified = segment if known["name"] else f"p{portal.portal_id}_{name}"
    schema = {"objectTypeId": type_id, "id": type_id[2:], "name": name, "labels": {"singular": name, "plural": name}}
    schema |= {"fullyQualifiedName": qualified, "requiredProperties": []}
    play_schemas(portal, [schema])
    return type_id


def named(answer: Sequence[Json], key: str, keys: Sequence[str]) -> Json:
    """The entries of a list by name or id, each with the fields that HubSpot always sends."""
    for one in answer:
        if not isinstance(one, dict):
            raise ValueError(f"{one} is no definition")
        if missing := [name for name in (key, *keys) if one.get(name) is None]:
            raise ValueError(f"{one.get(key, 'an entry')} has no {', '.join(missing)}")
    return {one[key]: one for one in answer}


def name_labels(portal: Portal, body: Any) -> None:
    """Gives labels the names that a recorded schema has for them."""
    told = (body.get("associations") if isinstance(body, dict) else None) or ()
    names = {(one.get("fromObjectTypeId"), one.get("toObjectTypeId"), one.get("id")): one.get("name") for one in told}
    for record in portal.state["labels"]:
        there = (record["from"], record["to"], str(record["typeId"]))
        back = (record["to"], record["from"], str(record["inverseTypeId"]))
        record["name"] = names.get(there) or names.get(back) or record["name"]


def play_schemas(portal: Portal, answer: Sequence[Json]) -> None:
    """Takes over custom objects; their path sorts before that of their properties."""
    for schema in answer:
        named([schema], "objectTypeId", ("name", "fullyQualifiedName", "labels"))
        type_id = schema["objectTypeId"]
        apart = {"archived": False, **{key: schema[key] for key in schema.keys() - {"properties", "associations"}}}
        portal.state["schemas"][type_id] = apart
        definitions = portal.state["objects"].setdefault(type_id, empty_object(schema["name"]))
        definitions["properties"] = named(schema.get("properties", []), "name", PROPERTY_KEYS)


def play_properties(portal: Portal, type_id: str, answer: Sequence[Json], query: str) -> str:
    """Takes over definitions as they are, odd ones too; the live list as recorded gets no stage families added."""
    definitions = portal.definitions(type_id)
    recorded = named(answer, "name", PROPERTY_KEYS)
    definitions["everNonUnique"] += sorted(name for name, one in recorded.items() if not one.get("hasUniqueValue"))
    if "archived=true" in query:
        definitions["archivedProperties"] |= recorded
    elif "dataSensitivity" in query:
        definitions["properties"] |= recorded
    else:
        definitions["properties"] = recorded
        return type_id
    return ""


def leave_out(portal: Portal, type_id: str) -> None:
    """Keeps a recorded list as it was: properties of stages that were not in it come only with new stages."""
    missing = [one["name"] for one in stage_properties(portal, type_id)]
    portal.definitions(type_id)["leftOut"] = missing


def missing_groups(definitions: Mapping[str, Any]) -> Json:
    """Groups that properties are in, but that no list named."""
    groups = definitions["groups"]
    properties = [*definitions["properties"].values()]
    names = sorted({one["groupName"] for one in properties if one.get("groupName")} - groups.keys())
    return {
        name: {"archived": False, "name": name, "label": name, "displayOrder": order}
        for order, name in enumerate(names, len(groups))
    }
