"""The public list of what differs between two reads of a portal and is no drift, with the evidence for each.

``quiet`` carries it out, ``drift --show-normalised`` counts and lists by it, the README's table is generated from it,
and a test holds each entry on both sides: what is muted, and what next to it is not. Evidence is by section of the two
pages on HubSpot's behaviour that this product is built on (real-drift.md, hubspot-api.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Normalisation:
    """One kind of difference that is no drift, and the nearest one that is."""

    name: str
    muted: str
    still_drift: str
    evidence: str
    counted: bool = True  # whether both sides are kept long enough to list what was muted


NORMALISATIONS = (
    Normalisation(
        "list-order",
        "the order in which HubSpot lists definitions and sends keys",
        "a definition that is in one list only",
        "lists were in any order before 2024-10",
        counted=False,
    ),
    Normalisation(
        "touched",
        "`updatedAt` and `updatedUserId` that moved while nothing visible did",
        "any visible change, whether they moved or not",
        "77 % of the moves had nothing to show; 2024-09-05 touched whole portals",
    ),
    Normalisation(
        "created",
        "another `createdAt`",
        "a `createdAt` of your own definition past its last known edit: it was made anew",
        "0 to 4 a list, and all at once between generations of portals",
    ),
    Normalisation(
        "time-format",
        "epoch milliseconds, offsets and fractions of seconds; no time, and 1970, are unknown",
        "another moment",
        "older lists send numbers; 15 system properties carry no time",
        counted=False,
    ),
    Normalisation(
        "bookkeeping",
        "`createdUserId`, `archived: false`, `archivedAt`, `dateDisplayHint`, and any key that is new to us",
        "`archived: true`: the definition is gone",
        "present by kind of definition, not by state",
        counted=False,
    ),
    Normalisation(
        "unset",
        'a key that is absent, and the same key sent as `null`, `false`, `""`, `[]` or its neutral value',
        "a value that means something",
        "`numberDisplayHint: formatted` means the same as none",
        counted=False,
    ),
    Normalisation(
        "api-key",
        "a key that comes or goes on many definitions at once, or the description of options on a few untouched ones",
        "a key that one edit sets, and a text where the key was sent before",
        "`numberDisplayHint` came to every number property between 2026-02 and 2026-05",
    ),
    Normalisation(
        "filled-position",
        "a `displayOrder` of -1 that becomes a number on many definitions at once",
        "one definition that was moved",
        "HubSpot may answer -1 with a number of its own",
    ),
    Normalisation(
        "blanks",
        "runs of blanks, and outer ones, in labels, descriptions and option labels",
        "any other sign of a label",
        "double and trailing blanks came and went in HubSpot's own texts",
    ),
    Normalisation(
        "wording",
        "a final full stop, and the case of letters, in a description of HubSpot's own",
        "another word, and any of it in a description of yours",
        "descriptions are the largest class of differences and change no behaviour",
    ),
    Normalisation(
        "option-numbers",
        "the numbers by which options are ordered, and the order among options that share one",
        "two options that changed places",
        "one new option renumbers all behind it; 34 real lists carry -1 throughout",
    ),
    Normalisation(
        "external-options",
        "the options of a property whose options lie elsewhere",
        "`externalOptions` itself",
        "always sent empty, whatever people see",
        counted=False,
    ),
    Normalisation(
        "stage-mirror",
        "the options of `lifecyclestage`, `dealstage` and other properties that repeat stages or pipelines",
        "the stages themselves",
        "a read model of the stages; its time never moves",
    ),
    Normalisation(
        "stage-family",
        "`hs_v2_date_entered_<stage>` and the other properties of a stage; one line a pipeline",
        "the stages themselves",
        "244 of 415 defaults in one deal list",
    ),
    Normalisation(
        "stage-numbers",
        "stages that are renumbered because one came or went",
        "a stage that changed places",
        "HubSpot renumbers all that stand behind",
    ),
    Normalisation(
        "group-numbers",
        "the `displayOrder` of a group that no spec declares",
        "its label, and a `displayOrder` that a spec declares",
        "HubSpot gives the next number by itself",
    ),
    Normalisation(
        "any-position",
        "the position of a definition that a spec declares with `displayOrder: -1`",
        "the position of one that is declared with a number",
        "-1 means: wherever HubSpot puts it",
    ),
    Normalisation(
        "rights-key",
        "a key of `modificationMetadata`, and `calculated`, that one of the reads does not have",
        "one that both have, with other values",
        "`readOnlyOptions` is sent for some enumerations only",
    ),
    Normalisation(
        "formula-spelling",
        "blanks, quotes and case of keywords in a formula",
        "a formula that reads something else",
        "HubSpot rewrites formulas in a form of its own",
    ),
)
BY_NAME: Mapping[str, Normalisation] = {one.name: one for one in NORMALISATIONS}
