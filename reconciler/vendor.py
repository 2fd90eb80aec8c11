"""Whose definition is it: a portal's own, HubSpot's everywhere, or HubSpot's for this portal alone?

``hubspotDefined`` does not tell: it also stands on what a portal caused HubSpot to make, such as the properties of a
deal stage, of a subscription or of a score. Measured on every captured list (real-drift.md 2): only the definitions
that are HubSpot's own everywhere lack the key ``archived``. That is documented nowhere, so name patterns stand in
where it does not hold, and nothing fails when neither does.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from reconciler.kinds import properties, property_groups
from reconciler.model import Json, Resource

Family = Literal["custom", "global", "stage", "subscription", "score", "sync", "local"]

# Follow from stages (hubspot-api.md C.4); a stage id can be a word, digits, or a UUID with digits behind it. Two
# defaults that tell of whatever stage a record is in only look like them.
_STAGE = re.compile(
    r"hs_(?:v2_)?(?:date_entered|date_exited|cumulative_time_in|latest_time_in|time_in)_(?!current_stage$).+"
)
_CAUSED: tuple[tuple[Family, re.Pattern[str]], ...] = (
    ("subscription", re.compile(r"hs_email_optout_\d+|blog_\w+_subscription")),
    ("score", re.compile(r"\w*score\w*_(?:\d{4}|threshold)")),
    (
        "sync",
        re.compile(
            r"(?:hs_)?salesforce\w+|recurring_revenue_\w+|invoice_(?:amount|due_date|number|recipient|status)|a\d+_\w+"
        ),
    ),
)
# Carry the key in every portal, although it is HubSpot that changes them (real-drift.md 2 and 5).
_GLOBAL_ALL_THE_SAME = frozenset(
    """
    hs_first_engagement_object_id hs_sa_first_engagement_date hs_sa_first_engagement_descr
    hs_sa_first_engagement_object_type hs_time_to_first_engagement
    """.split()
)
# Enumerations whose options are stages or pipelines: read models of something that is compared elsewhere, or not ours.
MIRRORS = frozenset({"lifecyclestage", "dealstage", "pipeline", "hs_pipeline", "hs_pipeline_stage"})
# Portals edit the options of these whatever modificationMetadata says (real-drift.md 6).
_PORTAL_EDITED = frozenset(
    """
    hs_lead_status industry type dealtype hs_persona numemployees hs_ticket_category hs_buying_role hs_legal_basis
    """.split()
)
RIGHTS = ("readOnlyDefinition", "readOnlyOptions", "readOnlyValue")  # that integrations notice a change of
_MARKERS = re.compile(r"\b(deprecated|discontinued|legacy)\b", re.IGNORECASE)
_IN_PARENTHESES = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)['\"”]?\s*$")


def archived_tells(listed: Iterable[Resource]) -> bool:
    """Whether the missing ``archived`` key still tells HubSpot's own definitions apart in a list of properties."""
    found = False
    for resource in listed:
        if resource.facts.get("archived") is None:
            if not resource.facts.get("hubspotDefined"):
                return False
            found = True
    return found


def family(resource: Resource, archived_tells: bool = True) -> Family:
    """Whose a definition is, and for HubSpot's what made it appear in this portal."""
    match resource.kind:
        case properties.NAME:
            return _property_family(resource, archived_tells)
        case property_groups.NAME:
            return "global" if resource.name in property_groups.DEFAULT_GROUPS else "custom"
        case "associationLabels":
            return _label_family(resource)
    return "custom"  # of stages too, people relabel, reorder and delete the default ones (hubspot-api.md C.1)


def _property_family(resource: Resource, archived_tells: bool) -> Family:
    flagged = bool(resource.facts.get("hubspotDefined"))
    name = resource.name
    if not flagged and not properties.VENDOR_PREFIX.match(name):
        return "custom"
    if _STAGE.fullmatch(name):
        return "stage"
    if name in _GLOBAL_ALL_THE_SAME or (archived_tells and flagged and resource.facts.get("archived") is None):
        return "global"
    for cause, pattern in _CAUSED:
        if pattern.fullmatch(name):
            return cause
    return "local" if archived_tells else "global"


def _label_family(resource: Resource) -> Family:
    match resource.facts.get("category"):
        case "HUBSPOT_DEFINED":
            return "global"
        case "INTEGRATOR_DEFINED" | "WORK":
            return "sync"
    return "custom"


def mirrors_stages(resource: Resource) -> bool:
    """Whether the options of a property only repeat stages or pipelines."""
    return resource.kind == properties.NAME and resource.name in MIRRORS and bool(resource.facts.get("hubspotDefined"))


def pipeline(resource: Resource) -> str:
    """The pipeline that a property of a stage belongs to; its label ends in ``Stage (Pipeline)``."""
    found = _IN_PARENTHESES.search(str(resource.attributes.get("label", "")))
    return found[1] if found else ""


def rights(resource: Resource) -> Mapping[str, Json]:
    """What HubSpot says that may be changed of a definition; nothing in some old answers."""
    return resource.facts.get("modificationMetadata") or {}


def definition_editable(resource: Resource) -> bool:
    """Whether a portal may change label, description and type of a default (hubspot-api.md A.8)."""
    return not rights(resource).get("readOnlyDefinition", True)


def options_editable(resource: Resource) -> bool:
    """Whether a portal may change the options of a default: HubSpot says so, or portals are known to do it."""
    told = rights(resource)
    return not told.get("readOnlyOptions", told.get("readOnlyDefinition", True)) or resource.name in _PORTAL_EDITED


def options_locked(resource: Resource) -> bool:
    """Whether HubSpot says outright that nobody in a portal can change the options of a default."""
    return bool(rights(resource).get("readOnlyOptions", False))


def gains_deprecation(before: str, after: str) -> bool:
    """Whether a label newly says that HubSpot is giving something up."""
    had = {word.lower() for word in _MARKERS.findall(before)}
    return bool({word.lower() for word in _MARKERS.findall(after)} - had)
