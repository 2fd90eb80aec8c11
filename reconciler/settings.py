"""Settings: ``reconciler.yaml`` in the specs directory says which portals there are and how they are reached."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from reconciler import ignore as ignoring
from reconciler import variables
from reconciler.address import join, split
from reconciler.errors import UsageError
from reconciler.ignore import IgnoreRule
from reconciler.model import Finding, Json
from reconciler.paths import VERSIONS
from reconciler.variables import Variable

if TYPE_CHECKING:
    from reconciler.source_file import SourceFile

FILES = ("reconciler.yaml", "reconciler.yml")
TOKEN_ENV = "HUBSPOT_ACCESS_TOKEN"
BASE_URL = "https://api.hubapi.com"
WATCH = ("contacts", "companies", "deals", "tickets")

_VALUE: Json = {"type": ["string", "number", "boolean"], "description": "A value of the variable's type."}
SCHEMA: Mapping[str, Json] = {
    "title": "Settings of hubspot-reconciler",
    "description": "Which portals there are, how they are reached, and what is watched.",
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "portals"],
    "properties": {
        "version": {"const": 1, "description": "Version of this file's format."},
        "defaultPortal": {"type": "string", "description": "The portal that is meant when nobody says -p."},
        "portals": {
            "type": "object",
            "minProperties": 1,
            "description": "Portals by a name of yours, which also names the folder of the baseline.",
            "propertyNames": {
                "type": "string",
                "pattern": r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
                "description": "letters, digits, points, hyphens and underscores",
            },
            "additionalProperties": {
                "title": "Portal",
                "type": "object",
                "additionalProperties": False,
                "description": "A real portal, or the embedded one.",
                "properties": {
                    "emulator": {
                        "type": "string",
                        "minLength": 1,
                        "description": "File that keeps the state of an embedded portal: no token, no network.",
                    },
                    "portalId": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "HubSpot's number of the portal; a token of another one is refused.",
                    },
                    "tokenEnv": {
                        "type": "string",
                        "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                        "description": f"name of the environment variable that holds the token ({TOKEN_ENV})",
                    },
                    "baseUrl": {
                        "type": "string",
                        "pattern": r"^https?://[^\s/?#@]+/?$",
                        "description": f"where the API answers ({BASE_URL}); http for this machine only",
                    },
                    "apiVersion": {"enum": list(VERSIONS), "description": "Version of HubSpot's API; v3 is usual."},
                    "variables": {
                        "type": "object",
                        "description": "What the variables are in this portal.",
                        "additionalProperties": _VALUE,
                    },
                },
            },
        },
        "variables": {
            "type": "object",
            "description": "Values that differ from portal to portal; specs hold them as ${var:name}.",
            "propertyNames": {
                "type": "string",
                "pattern": f"^{variables.NAME}$",
                "description": "letters, digits and underscores, a letter first",
            },
            "additionalProperties": {
                "title": "Variable",
                "description": "A variable of specs.",
                "type": "object",
                "additionalProperties": False,
                "required": ["type"],
                "properties": {
                    "type": {"enum": list(variables.TYPES), "description": "What its values are."},
                    "default": _VALUE,
                    "description": {"type": "string", "description": "What it is for."},
                },
            },
        },
        "watch": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^[^\s/]+$", "description": "an object type"},
            "description": "Object types whose definitions are read, baselined and checked for drift.",
        },
        "protected": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "description": "an address; * stands for part of a segment"},
            "description": "Never archived, retyped or stripped of options, whatever a spec or a flag says.",
        },
        "ignore": {
            "type": "array",
            "description": "What is left alone, with the same meaning in plan, apply and drift.",
            "items": {
                "title": "Ignore rule",
                "description": "A part of the portal that is nobody's business, and why.",
                "type": "object",
                "additionalProperties": False,
                "required": ["address", "reason"],
                "properties": {
                    "address": {
                        "type": "string",
                        "minLength": 1,
                        "description": "an address; * stands for part of a segment",
                    },
                    "fields": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "string", "minLength": 1, "description": "a field, such as options"},
                        "description": "Only these fields; all of them when it is left out.",
                    },
                    "reason": {"type": "string", "minLength": 1, "description": "Why it is left alone."},
                    "expires": {
                        "type": "string",
                        "pattern": r"^\d{4}-\d{2}-\d{2}$",
                        "description": "The last day on which it holds, such as 2027-06-30",
                    },
                },
            },
        },
        "guards": {
            "type": "object",
            "additionalProperties": False,
            "description": "Limits of one apply; what --allow consents to counts in none.",
            "properties": {
                "maxChanges": {"type": "integer", "minimum": 0, "description": "at most so many changes"},
                "maxDestructivePercent": {
                    "type": "number",
                    "minimum": 0,
                    "maximum": 100,
                    "description": "at most this share of the managed definitions may lose something",
                },
            },
        },
        "retries": {
            "type": "object",
            "additionalProperties": False,
            "description": "How much patience one request gets.",
            "properties": {
                "tries": {"type": "integer", "minimum": 1, "maximum": 100, "description": "from 1 to 100"},
                "waitSeconds": {"type": "number", "minimum": 0, "maximum": 3600, "description": "from 0 to 3600"},
            },
        },
    },
}


class Portal(NamedTuple):
    """One portal and the way to it."""

    name: str
    emulator: str | None = None
    portal_id: int | None = None
    token_env: str = TOKEN_ENV
    base_url: str = BASE_URL
    api_version: str = VERSIONS[0]
    variables: Mapping[str, Json] = {}


class Settings(NamedTuple):
    """What ``reconciler.yaml`` says."""

    portals: Mapping[str, Portal]
    version: int = 1
    default_portal: str | None = None
    watch: tuple[str, ...] = WATCH
    protected: tuple[str, ...] = ()
    ignore: tuple[IgnoreRule, ...] = ()
    guards: Mapping[str, Json] = {}
    retries: Mapping[str, Json] = {}
    variables: Mapping[str, Variable] = {}

    @property
    def usual_portal(self) -> str | None:
        """The portal that is meant where nobody names one: the default, or the only one there is."""
        only = next(iter(self.portals)) if len(self.portals) == 1 else None
        return self.default_portal or only

    def portal(self, name: str | None = None) -> Portal:
        """The portal of a name; without one the usual."""
        if name is None:
            name = self.usual_portal
        known = ", ".join(sorted(self.portals))
        if name is None:
            hint = "choose one with -p NAME, or write `defaultPortal:` into the settings"
            raise UsageError(f"there are several portals and none was chosen: {known}", hint=hint)
        if name not in self.portals:
            from reconciler.wording import did_you_mean

            hint = did_you_mean(name, self.portals) or "choose one of them with -p"
            raise UsageError(f"there is no portal {name!r}; the settings have {known}", hint=hint)
        return self.portals[name]


def load(directory: Path) -> Settings:
    """The settings of a specs directory."""
    settings, findings = read(directory)
    if settings is None and not findings:
        refuse_file(directory)
        hint = "start with `reconciler init`, or name the directory of your specs with --specs"
        raise UsageError(f"there are no settings: {directory / FILES[0]} is missing", hint=hint)
    if settings is None:
        from reconciler.wording import report

        raise UsageError(report(findings), hint=findings[0].fix if len(findings) == 1 else "")
    return settings


def refuse_file(directory: Path) -> None:
    """Refuses a file where the directory of the specs should be."""
    if directory.is_file():
        message = f"{directory} is a file, and --specs names the directory of all specs"
        raise UsageError(message, where=str(directory), hint=f"give it the directory: --specs {directory.parent}")


def read(directory: Path) -> tuple[Settings | None, tuple[Finding, ...]]:
    """The settings if there are any and they are sound, or what is wrong with them."""
    found = [path for name in FILES if (path := directory / name).exists() or path.is_symlink()]
    if not found:
        return None, ()
    from reconciler import source_file
    from reconciler._accept import ACCEPTS

    file = source_file.read(found[0], found[0].as_posix())
    findings = file.findings
    if file.document is not None and not (findings and file.document.value is None):
        value = file.document.value
        if ACCEPTS["settings#"](value):
            findings += tuple(_second_file(found, file)) + tuple(_contradictions(value, file))
            if not findings:
                return _placed(parse(value), file), ()
        else:
            from reconciler.spec import schema_findings

            findings += tuple(schema_findings(file, SCHEMA))
    return None, tuple(sorted(map(_without_token, findings), key=lambda finding: finding.source or ()))


def file(directory: Path) -> "SourceFile":
    """The file of the settings, for messages about what stands in it."""
    from reconciler import source_file

    found = next(path for name in FILES if (path := directory / name).exists())
    return source_file.read(found, found.as_posix())


def parse(value: Mapping[str, Json]) -> Settings:
    """The settings in a value that the schema accepts."""
    return Settings(**{FIELDS[key][0]: FIELDS[key][1](part) for key, part in value.items()})


def _placed(settings: Settings, file: "SourceFile") -> Settings:
    """The settings with the lines at which their ignore rules stand."""
    placed = (rule._replace(source=file.place("ignore", index)) for index, rule in enumerate(settings.ignore))
    return settings._replace(ignore=tuple(placed))


def _portals(entries: Mapping[str, Json]) -> dict[str, Portal]:
    return {name: _portal(name, entry) for name, entry in entries.items()}


def _portal(name: str, entry: Mapping[str, Json]) -> Portal:
    portal = Portal(name, **{PORTAL_FIELDS[key]: part for key, part in entry.items()})
    return portal._replace(base_url=portal.base_url.rstrip("/"))


def _variables(entries: Mapping[str, Json]) -> dict[str, Variable]:
    return {name: Variable(name, entry["type"], entry.get("default")) for name, entry in entries.items()}


def _retries(entry: Mapping[str, Json]) -> dict[str, Json]:
    return {RETRY_FIELDS[key]: part for key, part in entry.items()}


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _patterns(lines: Iterable[str]) -> tuple[str, ...]:
    """Patterns of addresses, in the one spelling of what is percent-encoded."""
    return _unique(join(*split(line)) for line in lines)


# For each key the Python name, and what makes its value: a new key is a line here, one in SCHEMA and one in Settings.
FIELDS: Mapping[str, tuple[str, Callable[[Json], Json]]] = {
    "version": ("version", int),
    "defaultPortal": ("default_portal", str),
    "portals": ("portals", _portals),
    "watch": ("watch", _unique),
    "protected": ("protected", _patterns),
    "ignore": ("ignore", ignoring.rules),
    "guards": ("guards", dict),
    "retries": ("retries", _retries),
    "variables": ("variables", _variables),
}
PORTAL_FIELDS = {
    "emulator": "emulator",
    "portalId": "portal_id",
    "tokenEnv": "token_env",
    "baseUrl": "base_url",
    "apiVersion": "api_version",
    "variables": "variables",
}
RETRY_FIELDS = {"tries": "tries", "waitSeconds": "wait_seconds"}


def _contradictions(value: Mapping[str, Json], file: "SourceFile") -> Iterator[Finding]:
    """What the schema cannot say."""
    default, portals = value.get("defaultPortal"), value["portals"]
    if default is not None and default not in portals:
        yield _finding(
            file, "unknown-portal", f"there is no portal {default}", _choices(default, portals), "defaultPortal"
        )
    for name, entry in portals.items():
        yield from _wrong_ways(name, entry, file)
    yield from _variable_values(value, file)
    yield from _names(value, file)


def _wrong_ways(name: str, entry: Mapping[str, Json], file: "SourceFile") -> Iterator[Finding]:
    """What would lead a token astray, or an embedded portal nowhere."""
    url = entry.get("baseUrl", BASE_URL)
    if not _is_address(url):
        why = f"`baseUrl` is {url!r}, which is no address of a server"
        yield _finding(file, "bad-format", why, f"write it as {BASE_URL}", "portals", name, "baseUrl")
    elif not _is_safe(url):
        why = "http would send the token in the clear; it is for 127.0.0.1 and localhost only"
        yield _finding(file, "insecure-url", why, "write https://", "portals", name, "baseUrl")
    for key in ("tokenEnv", "baseUrl"):
        if "emulator" in entry and key in entry:
            why = f"an embedded portal has no {key}"
            yield _finding(file, "emulator-portal", why, f"drop {key}, or emulator", "portals", name, key)


def _names(value: Mapping[str, Json], file: "SourceFile") -> Iterator[Finding]:
    """Days that there are not, and addresses and object types that can never meet anything."""
    from reconciler.spec_checks import misdirected, misnamed

    for index, line in enumerate(value.get("ignore", ())):
        if "expires" in line and not _is_date(line["expires"]):
            why = f"there is no day {line['expires']}"
            yield _finding(file, "ignore-expires", why, "write it as 2027-06-30", "ignore", index, "expires")
        if problem := misdirected(line["address"]):
            yield _finding(file, "address-pattern", *problem, "ignore", index, "address")
    for index, pattern in enumerate(value.get("protected", ())):
        if problem := misdirected(pattern):
            yield _finding(file, "address-pattern", *problem, "protected", index)
    for index, object_type in enumerate(value.get("watch", ())):
        if proper := misnamed(object_type):
            why = f"{object_type} is written {proper} here"
            yield _finding(file, "object-type-name", why, f"write {proper}", "watch", index)


def _variable_values(value: Mapping[str, Json], file: "SourceFile") -> Iterator[Finding]:
    """Values of another type than their variable's, and portals in which a variable has none."""
    declared = _variables(value.get("variables", {}))
    for name, variable in declared.items():
        if variable.default is not None and not variable.takes(variable.default):
            yield _ill_typed(file, variable, "variables", name, "default")
    for portal, entry in value["portals"].items():
        given = entry.get("variables", {})
        for name, one in given.items():
            if name not in declared:
                why, fix = f"there is no variable {name}", _nearest(name, declared)
                yield _finding(file, "undefined-variable", why, fix, "portals", portal, "variables", name)
            elif not declared[name].takes(one):
                yield _ill_typed(file, declared[name], "portals", portal, "variables", name)
        for name in declared.keys() - variables.values(declared, given).keys():
            why = f"variable {name} has no value in portal {portal}"
            fix = f"give it a default, or write `variables: {{{name}: ...}}` here"
            yield _finding(file, "variable-without-value", why, fix, "portals", portal)


def _nearest(name: str, declared: Iterable[str]) -> str:
    from reconciler.wording import did_you_mean

    return did_you_mean(name, declared) or f"declare it: `variables: {{{name}: {{type: string}}}}`"


def _ill_typed(file: "SourceFile", variable: Variable, *path: str) -> Finding:
    why = f"variable {variable.name} is a {variable.type}, and this is none"
    return _finding(file, "variable-type", why, f"write a {variable.type}; texts go in quotes", *path)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _choices(name: str, portals: Iterable[str]) -> str:
    from reconciler.wording import did_you_mean

    return did_you_mean(name, portals) or f"one of {', '.join(portals)}"


def _is_address(url: str) -> bool:
    """Whether there is a host in it, and no port that cannot be."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "https" or host in ("localhost", "::1") or re.fullmatch(_LOOPBACK, host) is not None


def _finding(file: "SourceFile", rule: str, message: str, fix: str, *path: str | int) -> Finding:
    place = file.place(*path)
    return Finding(rule, "error", message, fix, source=place, frame=file.frame(place))


def _second_file(found: Sequence[Path], file: "SourceFile") -> Iterator[Finding]:
    if len(found) > 1:
        why = f"there is also {found[1].name}, and only one file can hold the settings"
        yield Finding("two-settings-files", "error", why, "keep one of them", source=file.place())


def _without_token(finding: Finding) -> Finding:
    """A token that somebody wrote into the file appears in no message."""
    message, frame = (re.sub(_TOKEN, "pat-***", text) for text in (finding.message, finding.frame))
    if message == finding.message and not (finding.rule == "unknown-key" and "token" in message.lower()):
        return finding._replace(frame=frame)
    fix = f"a token never stands in a file: put a new one into the environment variable {TOKEN_ENV}, revoke this one"
    return finding._replace(message=message, frame=frame, fix=fix)


_LOOPBACK = r"127(\.\d{1,3}){3}"
_TOKEN = r"pat-[A-Za-z0-9-]+"
