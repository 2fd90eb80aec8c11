"""Makes a portal up, always the same one: its answers, specs that declare it, and specs with one definition in a
hundred changed.

The shape follows real portals: 85 of 100 properties are plain, the others have 5 to 60 options; about 1.1 KB of JSON
and 0.5 KB of YAML each. Written without any YAML library, so that nobody reads what it wrote itself.
"""

import json
import random
from dataclasses import dataclass, replace
from pathlib import Path

WORDS = """
    account annual billing campaign channel churn city client close company consent contract country
    currency customer date deal delivery department email event expected external fiscal first forecast
    health industry initial invoice job journey last lead legal lifecycle line locale manager market
    member method monthly next notes onboarding opportunity order origin owner partner payment phone
    plan postal preferred primary priority product program quarter quote rating reason recent referral
    region renewal revenue risk role sales score segment service size source stage start state status
    subscription support survey target tax team territory ticket tier time total trial type usage user
    value vendor version visit web yearly zone
    """.split()
GROUPS = (
    "sales_data billing_data onboarding_data product_usage legal_and_consent support_data marketing_attribution".split()
)
PLAIN = (
    [("string", "text")] * 9
    + [("string", "textarea")] * 2
    + [("number", "number")] * 3
    + [("date", "date")] * 2
    + [("datetime", "date"), ("bool", "booleancheckbox"), ("bool", "booleancheckbox"), ("string", "phonenumber")]
)
WITH_OPTIONS = 0.15
CHANGED = 0.01
BOOL = (("true", "Yes", False), ("false", "No", False))

Option = tuple[str, str, bool]  # value, label, hidden


@dataclass(frozen=True)
class Property:
    """One made-up definition."""

    name: str
    label: str
    description: str
    group: str
    type: str
    field_type: str
    options: tuple[Option, ...]
    hidden: bool
    form_field: bool
    stamp: str
    user: str

    def answer(self) -> dict[str, object]:
        """The definition as HubSpot sends it."""
        return {
            "updatedAt": self.stamp,
            "createdAt": self.stamp,
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [
                {"label": label, "value": value, "description": "", "displayOrder": place, "hidden": hidden}
                for place, (value, label, hidden) in enumerate(self.options)
            ],
            "createdUserId": self.user,
            "updatedUserId": self.user,
            "displayOrder": -1,
            "calculated": False,
            "externalOptions": False,
            "archived": False,
            "hasUniqueValue": False,
            "hidden": self.hidden,
            "formField": self.form_field,
            "dataSensitivity": "non_sensitive",
            "modificationMetadata": {
                "archivable": True,
                "readOnlyDefinition": False,
                "readOnlyOptions": False,
                "readOnlyValue": False,
            },
        }

    def entry(self) -> str:
        """The definition as a spec declares it."""
        lines = [
            f"    {self.name}:",
            f"      label: {self.label}",
            f"      type: {self.type}",
            f"      fieldType: {self.field_type}",
            f"      groupName: {self.group}",
            *([f"      description: {self.description}"] if self.description else ()),
            *(["      formField: true"] if self.form_field else ()),
            *(["      hidden: true"] if self.hidden else ()),
            *(["      options:"] if self.options else ()),
        ]
        for value, label, hidden in self.options:
            lines.append(f"        - label: {label}" if self.type != "bool" else f'        - label: "{label}"')
            lines.append(f"          value: {value}" if self.type != "bool" else f'          value: "{value}"')
            lines += ["          hidden: true"] if hidden else ()
        return "\n".join(lines) + "\n"


def properties(number: int, seed: int = 7) -> list[Property]:
    """So many definitions of one object type."""
    dice = random.Random(seed)
    return [_property(index, dice) for index in range(number)]


def _property(index: int, dice: random.Random) -> Property:
    words = dice.sample(WORDS, dice.randint(2, 4))
    described = dice.random() >= 0.3
    if dice.random() < WITH_OPTIONS:
        kind, field_type = "enumeration", dice.choice(("select", "radio", "checkbox"))
        options = _options(dice)
    else:
        kind, field_type = dice.choice(PLAIN)
        options = BOOL if kind == "bool" else ()
    return Property(
        name="_".join(words) + f"_{index:05d}",
        label=" ".join(word.capitalize() for word in words),
        description=_sentence(dice) if described else "",
        group=dice.choice(GROUPS),
        type=kind,
        field_type=field_type,
        options=options,
        hidden=dice.random() < 0.05,
        form_field=dice.random() < 0.4,
        stamp=f"2026-0{dice.randint(1, 9)}-{dice.randint(10, 28)}T12:30:15.{dice.randint(100, 999)}Z",
        user=str(dice.randint(10**6, 10**8)),
    )


def _sentence(dice: random.Random) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(6, 22))).capitalize() + "."


def _options(dice: random.Random) -> tuple[Option, ...]:
    found: dict[str, Option] = {}
    for _ in range(dice.randint(5, 60)):
        first, second = dice.sample(WORDS, 2)
        found.setdefault(f"{first}_{second}", (f"{first}_{second}", f"{first.capitalize()} {second}", False))
    hidden = dice.choice(list(found))
    return tuple((value, label, value == hidden) for value, label, _ in found.values())


def changed(listed: list[Property]) -> list[Property]:
    """The same with one in a hundred altered, half as many left out and half as many new."""
    dice = random.Random(len(listed))
    picked = dice.sample(range(len(listed)), max(2, round(len(listed) * CHANGED)))
    after = list(listed)
    for turn, index in enumerate(picked):
        one = after[index]
        if one.type == "enumeration" and turn % 2:
            after[index] = replace(one, options=(*one.options, ("added_option", "Added option", False)))
        elif turn % 3 == 1:
            after[index] = replace(one, description=f"{one.description} Changed.".strip())
        else:
            after[index] = replace(one, label=f"{one.label} v2")
    gone = {index for index in dice.sample(range(len(listed)), len(picked) // 2) if index not in picked}
    new = [
        replace(one, name=f"brand_new_{index:04d}") for index, one in enumerate(properties(len(picked) // 2, seed=99))
    ]
    return [one for index, one in enumerate(after) if index not in gone] + new


def relabelled(listed: list[Property], number: int) -> list[Property]:
    """The same with so many labels changed: as many updates that cannot be batched."""
    return [replace(one, label=f"{one.label} v2") if index < number else one for index, one in enumerate(listed)]


# --- files -----------------------------------------------------------------------------------------------------------


def spec(listed: list[Property], object_type: str = "contacts") -> str:
    """The content of a spec file."""
    groups = "".join(f"    {name}: {{label: {name.replace('_', ' ').capitalize()}}}\n" for name in GROUPS)
    head = f"propertyGroups:\n  {object_type}:\n{groups}\nproperties:\n  {object_type}:\n"
    return head + "".join(one.entry() for one in listed)


def answers(listed: list[Property], object_type: str = "contacts") -> dict[str, dict[str, object]]:
    """What HubSpot answers for one object type, by path."""
    groups = [
        {"name": name, "label": name.replace("_", " ").capitalize(), "displayOrder": -1, "archived": False}
        for name in GROUPS
    ]
    return {
        f"/crm/v3/properties/{object_type}": {"results": [one.answer() for one in listed]},
        f"/crm/v3/properties/{object_type}/groups": {"results": groups},
        f"/crm/v3/properties/{object_type}?archived=true": {"results": []},
    }


def settings(watch: str = "contacts", **portal: str) -> str:
    """The content of ``reconciler.yaml``."""
    where = json.dumps(portal or {"emulator": "portal.json"})
    return f"version: 1\nportals:\n  made-up: {where}\nwatch: [{watch}]\n"


def recording(by_path: dict[str, dict[str, object]]) -> str:
    """A recorded read."""
    document = {"formatVersion": "1.0", "takenAt": "2026-11-01T00:00:00Z", "responses": by_path}
    return json.dumps(document, separators=(",", ":"))


def directory(place: Path, content: str, settings_text: str) -> Path:
    """A specs directory with one file in it."""
    place.mkdir(parents=True)
    (place / "reconciler.yaml").write_text(settings_text)
    (place / "contacts.yaml").write_text(content)
    return place
