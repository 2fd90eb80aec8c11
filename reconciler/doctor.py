"""The doctor: whether this machine, these settings and this token can do the work, and what to do where they cannot.

Every check is a pure function of ``Facts`` that somebody else gathered. A check that nothing is known for says so; it
is never counted as good.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from reconciler import VERSION, object_types, report
from reconciler.errors import ReconcilerError
from reconciler.model import Finding, Json
from reconciler.settings import Portal, Settings
from reconciler.wording import enumerated

Status = Literal["ok", "warning", "error", "unknown"]
OLDEST_PYTHON = (3, 11)
LONGEST_SKEW = timedelta(minutes=2)
NEARLY_FULL = 90  # percent
SOON = timedelta(days=180)
# The last day of support of each API version (hubspot-api.md F.5); a dated one is supported for 18 months.
SUPPORTED_UNTIL: Mapping[str, date] = {
    "v3": date(2027, 3, 30),  # associations v4 end then, the others in September 2027
    "2026-03": date(2027, 9, 30),
    "2026-09": date(2028, 3, 31),
}
NEWEST = "2026-09"
HELPFUL = {  # scopes that no command needs and some reports are better with
    "crm.objects.owners.read": "drift names people instead of user ids",
    "account-info.security.read": "drift looks into the audit log (Enterprise)",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    message: str
    fix: str = ""
    code: str = "usage"  # the exit code of an error, by name

    def as_json(self) -> dict[str, Json]:
        """The check as documents hold it."""
        return {"name": self.name, "status": self.status, "message": self.message, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to be judged; what could not be asked is empty or None, and why stands in ``trouble``."""

    python: tuple[int, int, int]
    fast_yaml: bool
    settings: Settings
    portal: Portal
    token_set: bool
    spec_errors: int | None  # None: there are no specs
    object_types: Sequence[str]
    pairs: Sequence[tuple[str, str]]
    baseline: bool | ReconcilerError  # whether there is one, or why it cannot be read
    now: datetime
    unbaselined: Sequence[str] = ()
    begin: str = ""  # the command that begins their baseline
    account: Mapping[str, Json] | None = None
    scopes: Collection[str] | None = None
    limits: Mapping[str, Json] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    upkeep: Sequence[Finding] = ()  # what in the directory wants attention
    flags: str = ""  # what leads a command to this portal and these specs
    trouble: str = ""
    trouble_code: str = "access"

    def command(self, words: str) -> str:
        """A command that works here, to be pasted."""
        return f"`{f'reconciler {words} {self.flags}'.rstrip()}`"


def checks(facts: Facts) -> list[Check]:
    """Every check, in the order in which somebody would look for trouble."""
    return [one for check in CHECKS for one in check(facts)]


def document(facts: Facts, found: Sequence[Check], portal: Mapping[str, Json]) -> dict[str, Json]:
    """What was found, as a document."""
    errors = [report.error_json(one.code, one.message, one.name, one.fix) for one in found if one.status == "error"]
    counts = {status: sum(one.status == status for one in found) for status in ("ok", "warning", "error", "unknown")}
    made = {
        **report.header("doctor", portal, facts.now),
        "checks": [one.as_json() for one in found],
        "summary": counts,
        "errors": errors,
    }
    return report.finished(made)


# --- this machine and its files --------------------------------------------------------------------------------------


def _python(facts: Facts) -> Iterator[Check]:
    version = ".".join(map(str, facts.python))
    if facts.python[:2] < OLDEST_PYTHON:
        yield Check("python", "error", f"Python {version} is too old", "use Python 3.11 or newer", "internal")
    else:
        yield Check("python", "ok", f"Python {version}, reconciler {VERSION}")
    if not facts.fast_yaml:
        why = "PyYAML was built without its C parser, so specs are read ten times slower"
        yield Check("yaml", "warning", why, "install a wheel of PyYAML, or libyaml before building it")


def _specs(facts: Facts) -> Iterator[Check]:
    many = len(facts.settings.portals)
    yield Check("settings", "ok", f"{many} portal{'' if many == 1 else 's'}; this is {facts.portal.name}")
    for one in facts.upkeep:
        name = "receipts" if one.rule == "receipt-unreadable" else "settings"
        yield Check(name, "warning", f"{one.source}: {one.message}" if one.source else one.message, one.fix)
    if facts.spec_errors is None:
        fix = f"{facts.command('import')} writes them from the portal"
        yield Check("specs", "warning", "there are no specs yet, so nothing is managed", fix)
    elif facts.spec_errors:
        why = f"the specs have {facts.spec_errors} error{'' if facts.spec_errors == 1 else 's'}"
        yield Check("specs", "error", why, f"{facts.command('validate')} names them")
    else:
        yield Check("specs", "ok", "the specs are sound")
    if isinstance(facts.baseline, ReconcilerError):
        yield Check("baseline", "error", str(facts.baseline), facts.baseline.hint, facts.baseline.code)
    elif facts.unbaselined:
        why = f"there is no baseline of {enumerated(facts.unbaselined)}, so drift cannot be told there"
        yield Check("baseline", "warning", why, facts.begin)
    elif facts.baseline:
        yield Check("baseline", "ok", "there is a baseline, so drift can be told")
    else:
        why = "there is no baseline yet, so drift cannot be told"
        yield Check("baseline", "warning", why, f"{facts.command('import')}, `apply` or `accept --all` makes one")


def _token(facts: Facts) -> Iterator[Check]:
    if facts.portal.emulator is not None:
        yield Check("token", "ok", "an embedded portal needs none")
    elif facts.token_set:
        yield Check("token", "ok", f"{facts.portal.token_env} is set")
    else:
        fix = f"export {facts.portal.token_env}=... with the service key of portal {facts.portal.name}"
        yield Check("token", "error", f"{facts.portal.token_env} is not set", fix, "access")


# --- the portal ------------------------------------------------------------------------------------------------------


def _identity(facts: Facts) -> Iterator[Check]:
    if facts.trouble:
        yield Check("portal", "error", facts.trouble, "check token, network and baseUrl", facts.trouble_code)
    elif facts.account is None:
        yield Check("portal", "unknown", "nobody could be asked which portal this is")
    else:
        yield from _known_identity(facts, facts.account)


def _known_identity(facts: Facts, account: Mapping[str, Json]) -> Iterator[Check]:
    live, kind = account["portalId"], str(account.get("accountType", "unknown")).lower().replace("_", " ")
    where = account.get("dataHostingLocation") or "unknown place"
    wanted = facts.portal.portal_id
    if wanted not in (None, live):
        why = f"the token is for portal {live}, and the settings say {wanted}"
        yield Check("portal", "error", why, f"choose the portal with -p, or correct {facts.portal.token_env}", "access")
        return
    yield Check("portal", "ok", f"portal {live}, {kind} account in {where}, time zone {account.get('timeZone', '?')}")
    if wanted is None and facts.portal.emulator is None:
        why = "the settings have no portalId, so a token of another portal would not be noticed"
        yield Check("portal-id", "warning", why, f"write `portalId: {live}` under portal {facts.portal.name}")


def _scopes(facts: Facts) -> Iterator[Check]:
    if facts.scopes is None and facts.account is None:
        yield Check("scopes", "unknown", "nobody could be asked what this token may do")
        return
    if facts.scopes is None:
        why = "the scopes of this token cannot be asked for (only service keys and private apps tell)"
        yield Check("scopes", "unknown", why)
        return
    held = frozenset(facts.scopes)
    needed = list(_needed(facts))
    for command, any_of, why in needed:
        if not held & any_of:
            yield Check("scopes", "error", f"{command} lacks a scope for {why}", f"add {min(any_of)}", "access")
    if all(held & any_of for _, any_of, _ in needed):
        yield Check("scopes", "ok", f"all that plan, drift and apply need ({len(held)} in all)")
    for scope, use in HELPFUL.items():
        if scope not in held:
            yield Check("scopes", "ok", f"without {scope}, which is optional: with it, {use}")
    known = {scope for _, any_of, _ in needed for scope in any_of} | set(HELPFUL) | {"oauth"}
    unneeded = sorted(held - known) if facts.portal.emulator is None else []  # the embedded portal grants everything
    if unneeded:
        shown = ", ".join(unneeded[:8]) + (f" and {len(unneeded) - 8} more" if len(unneeded) > 8 else "")
        yield Check("scopes", "warning", f"more than any command needs: {shown}", "take them from the key")


def _needed(facts: Facts) -> Iterator[tuple[str, frozenset[str], str]]:
    """For each command the scopes of which one is enough, and what for."""
    for object_type in facts.object_types:
        write = frozenset(object_types.write_scopes(object_type))
        if write:
            yield "plan", read_scopes(object_type) | write, f"definitions of {object_type}"
            yield "apply", write, f"definitions of {object_type}"
    for object_type in sorted({one for pair in facts.pairs for one in pair}):
        either = frozenset({f"crm.objects.{object_type}.read", f"crm.objects.{object_type}.write"})
        yield "plan", either | read_scopes(object_type), f"association labels of {object_type}"


def read_scopes(object_type: str) -> frozenset[str]:
    """Scopes of which one opens the definitions of an object type for reading (hubspot-api.md F.1)."""
    name = object_type if object_type in object_types.TYPE_IDS else "custom"
    return frozenset(f"crm.{family}.{name}.{right}" for family in ("objects", "schemas") for right in ("read", "write"))


def _limits(facts: Facts) -> Iterator[Check]:
    if facts.limits is None and facts.account is None:
        yield Check("limits", "unknown", "nobody could be asked for the limits")
        return
    if facts.limits is None:
        yield Check("limits", "unknown", "the limits cannot be read", "crm.objects.contacts.read opens them")
        return
    rows = [("custom properties in all", facts.limits.get("overallLimit"), facts.limits.get("overallUsage", 0))]
    for row in facts.limits.get("byObjectType") or ():
        rows.append((f"custom properties of {row.get('pluralLabel', row['objectTypeId'])}", row["limit"], row["usage"]))
    full = [(name, limit, used) for name, limit, used in rows if limit and 100 * used >= NEARLY_FULL * limit]
    for name, limit, used in full:
        yield Check("limits", "warning", f"{name}: {used:,} of {limit:,}", "archive what nobody uses")
    if not full:
        told = [f"{used:,} of {limit:,} {name}" for name, limit, used in rows[:1] if limit]
        yield Check("limits", "ok", told[0] if told else "there is room")


def _budget(facts: Facts) -> Iterator[Check]:
    names = ("max", "remaining", "interval-milliseconds", "daily", "daily-remaining")
    told = {name: facts.headers.get(f"x-hubspot-ratelimit-{name}", "") for name in names}
    if not told["max"].isdecimal():
        yield Check("budget", "unknown", "no answer told the request budget; 100 in 10 s are kept to")
        return
    interval = told["interval-milliseconds"]
    seconds = int(interval) // 1000 if interval.isdecimal() else 10
    text = f"{told['max']} requests in {seconds} s, {told['remaining'] or '?'} left now"
    if told["daily"].isdecimal() and told["daily-remaining"].isdecimal():
        left, day = int(told["daily-remaining"]), int(told["daily"])
        text += f"; {left:,} of {day:,} left today"
        if left * 10 < day:
            yield Check("budget", "warning", text, "other applications use this account's day up; run when they rest")
            return
    yield Check("budget", "ok", text)


def _clock(facts: Facts) -> Iterator[Check]:
    sent = _sent(facts)
    if sent is None:
        yield Check("clock", "unknown", "no answer told the time")
        return
    skew = abs(sent - facts.now)
    if skew > LONGEST_SKEW:
        minutes = int(skew.total_seconds() // 60)
        why = f"this machine's clock is {minutes} minutes off HubSpot's: expiry and settling go by it"
        yield Check("clock", "warning", why, "synchronise it")
    else:
        yield Check("clock", "ok", "this machine's clock agrees with HubSpot's")


def _sent(facts: Facts) -> datetime | None:
    """The time of an answer; a proxy on the way may write anything there."""
    try:
        sent = parsedate_to_datetime(facts.headers.get("date", ""))
    except ValueError:
        return None
    return sent.replace(tzinfo=sent.tzinfo or UTC)


def _version(facts: Facts) -> Iterator[Check]:
    version = facts.portal.api_version
    if facts.portal.emulator is not None:
        yield Check("api-version", "ok", f"an embedded portal plays API version {version} for ever")
        return
    last = SUPPORTED_UNTIL[version]
    fix = f"write `apiVersion: {NEWEST}` under portal {facts.portal.name}"
    if facts.now.date() > last:
        yield Check("api-version", "error", f"API version {version} was supported until {last}", fix, "unavailable")
    elif facts.now.date() + SOON > last:
        yield Check("api-version", "warning", f"API version {version} is supported until {last} only", fix)
    else:
        yield Check("api-version", "ok", f"API version {version} is supported until {last}")


CHECKS: Sequence[Callable[[Facts], Iterator[Check]]] = (
    _python,
    _specs,
    _token,
    _identity,
    _scopes,
    _limits,
    _budget,
    _clock,
    _version,
)
