"""Makes the portals of a fleet up, in a process of its own (see ``workspaces``): 12 lists a portal, 875 properties.

python -m tests.benchmarks.fleets answers PLACE             what each of them answers
python -m tests.benchmarks.fleets settle PLACE URL NUMBER   specs, settings, and baselines of so many of them
"""

import os
import sys
from pathlib import Path
from shutil import copytree

from tests.benchmarks import made_up
from tests.benchmarks.rounds import once

TYPES = ("contacts", "companies", "deals", "tickets")
SIZES = (219, 219, 219, 218)
PAIR = ("contacts", "companies")
LISTS = 12  # properties and groups of four types, labels in two directions, two lifecycles
LABELS = "associationLabels: {contacts: {companies: {billing: {label: Billing contact, inverseLabel: Billed by}}}}\n"
STAGES = ("subscriber", "lead", "opportunity", "customer", "evangelist", "other")
MEMBER, TOKEN = "client-{:03}", "CLIENT_{:03}_TOKEN"


def answers() -> dict[str, dict[str, object]]:
    """What every portal answers, by path."""
    found: dict[str, dict[str, object]] = {}
    for object_type, listed in _listed().items():
        found |= made_up.answers(listed, object_type)
    for object_type in PAIR:
        found[f"/crm/v3/pipelines/{object_type}"] = {"results": [_lifecycle(object_type)]}
    return found | labels()


def labels() -> dict[str, dict[str, object]]:
    """The label that ``LABELS`` declares, in both directions."""
    ways = ((*PAIR, 101, "Billing contact"), (*PAIR[::-1], 102, "Billed by"))
    return {
        f"/crm/v4/associations/{one}/{other}/labels": {
            "results": [{"category": "USER_DEFINED", "typeId": number, "label": label}]
        }
        for one, other, number, label in ways
    }


def _listed() -> dict[str, list[made_up.Property]]:
    return {
        one: made_up.properties(size, seed) for seed, (one, size) in enumerate(zip(TYPES, SIZES, strict=True), start=1)
    }


def _lifecycle(object_type: str) -> dict[str, object]:
    written = {"archived": False, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
    stages = [
        {"id": one, "label": one.capitalize(), "displayOrder": place, "metadata": {}, **written}
        for place, one in enumerate(STAGES)
    ]
    named = {"id": f"{object_type}-lifecycle-pipeline", "label": "Lifecycle", "displayOrder": 0}
    return {**named, "stages": stages, **written}


def settle(place: Path, url: str, number: int) -> None:
    """Specs that declare it all, and the same with one in a hundred changed; every portal was applied once."""
    portals = "".join(
        f"  {MEMBER.format(one)}: {{baseUrl: '{url}', tokenEnv: {TOKEN.format(one)}}}\n" for one in range(number)
    )
    settings = f"version: 1\nportals:\n{portals}watch: [{', '.join(TYPES)}]\n"
    first, others = MEMBER.format(0), [MEMBER.format(one) for one in range(1, number)]
    for name in ("same", "changed"):
        specs = place / f"{name}-{number}"
        specs.mkdir()
        (specs / "reconciler.yaml").write_text(settings)
        (specs / "labels.yaml").write_text(LABELS)
        for object_type, listed in _listed().items():
            (specs / f"{object_type}.yaml").write_text(made_up.spec(listed, object_type))
        if name == "same":
            words = ("reconciler", "apply", "--specs", str(specs), "-p", first, "--auto-approve", "-q")
            once(words, place, place / "cache", more=tokens(1))
            accepted = specs / "baselines"
        else:
            copytree(accepted / first, specs / "baselines" / first)
        for other in others:
            copytree(accepted / first, specs / "baselines" / other, copy_function=os.link)
    for object_type, listed in _listed().items():
        after = made_up.spec(made_up.changed(listed), object_type)
        (place / f"changed-{number}" / f"{object_type}.yaml").write_text(after)


def tokens(number: int) -> dict[str, str]:
    """The environment that so many portals need."""
    return {TOKEN.format(one): f"made-up-token-of-portal-{one:03}" for one in range(number)}


if __name__ == "__main__":
    if sys.argv[1] == "answers":
        place = Path(sys.argv[2])
        place.mkdir(parents=True)
        (place / "live.json").write_text(made_up.recording(answers()))
    else:
        settle(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
