#!/usr/bin/env python3
"""Writes the samples in README.md: what the commands really print on an embedded portal."""

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from reconciler.cli import run  # noqa: E402
from reconciler.emulator import Portal, edit, release  # noqa: E402
from reconciler.noise import NORMALISATIONS  # noqa: E402

STATE = ".reconciler/demo.json"
CHANGED = {
    "specs/contacts.yaml": [
        ("label: Plan tier", "label: Plan"),
        ("- {value: team, label: Team}", "- {value: team, label: Team}\n        - {value: scale, label: Scale}"),
        ("    cs_renewal_date:\n      label: Renewal date\n      type: date\n      fieldType: date\n", ""),
        ("      groupName: customer_success\n\n    # HubSpot's", "\n    # HubSpot's"),
    ],
    "specs/lifecycle.yaml": [("label: Trial}", "label: Trial}\n  - {name: pilot, label: Pilot}")],
}
REMOVED = """removed:
  - {address: properties/contacts/cs_renewal_date, reason: the billing system knows it}
"""


def samples() -> dict[str, str]:
    """The text of every sample, by name."""
    with workplace():
        said("init")
        said("apply", "--auto-approve")
        help_text = said("--help").split("Commands:\n", 1)[1].split("\n\n", 1)[0]
        edit_specs()
        plan = said("plan")
    with workplace():
        said("init")
        said("apply", "--auto-approve")
        move_portal()
        drift = said("drift")
    return {
        "plan": "$ reconciler plan\n" + steady(plan),
        "drift": "$ reconciler drift\n" + steady(drift),
        "help": help_text,
    }


def edit_specs() -> None:
    """What the pull request of the samples changes in the specs."""
    for name, edits in CHANGED.items():
        path = Path(name)
        text = path.read_text("utf-8")
        for before, after in edits:
            assert before in text, before
            text = text.replace(before, after, 1)
        path.write_text(text, "utf-8")
    Path("specs/removed.yaml").write_text(REMOVED, "utf-8")


def move_portal() -> None:
    """What HubSpot and a colleague did in the portal of the samples."""
    portal = Portal.open(STATE)
    release(portal, "deprecated")
    edit(portal, "relabel", object="contacts", property="cs_plan_tier", label="Tier (old)")


def steady(text: str) -> str:
    """A sample without the time at which it was made; how long HubSpot has had a definition is no such time."""
    now = datetime.now(UTC)
    days = "|".join(f"{now - timedelta(days=ago):%Y-%m-%d}" for ago in (0, 1))  # one may be made around midnight
    return re.sub(rf"(?:{days}) \d\d:\d\d UTC", "2026-11-24 09:30 UTC", text).rstrip()


def said(*words: str) -> str:
    """What a command prints on stdout."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = run(["-q", "--color", "never", *words] if words[0] != "--help" else list(words))
    out.flush()
    text = out.buffer.getvalue().decode()
    assert code in (0, 2), (words, code, text)
    return text


@contextlib.contextmanager
def workplace() -> Iterator[None]:
    """An empty folder to work in, at a width that fits a page."""
    before, columns = Path.cwd(), os.environ.get("COLUMNS")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["COLUMNS"] = "100"
        try:
            yield
        finally:
            os.chdir(before)
            os.environ.pop("COLUMNS")
            if columns is not None:
                os.environ["COLUMNS"] = columns


def filled(readme: str) -> str:
    """The README with its samples as they are now."""
    for name, text in samples().items():
        pattern = rf"<!-- sample:{name} -->\n```\n.*?```\n<!-- end -->"
        block = f"<!-- sample:{name} -->\n```\n{text}\n```\n<!-- end -->"
        readme, count = re.subn(pattern, lambda _, block=block: block, readme, flags=re.DOTALL)
        assert count == 1, name
    table = f"<!-- table:noise -->\n{noise()}\n<!-- end -->"
    readme, count = re.subn(r"<!-- table:noise -->\n.*?<!-- end -->", lambda _: table, readme, flags=re.DOTALL)
    assert count == 1, "noise"
    return readme


def noise() -> str:
    """The table of what is no drift, from the list that drift goes by."""
    rows = [f"| `{one.name}` | {one.muted} | {one.still_drift} | {one.evidence} |" for one in NORMALISATIONS]
    return "\n".join(["| rule | what differs, and is muted | what still is drift | why |", "|---|---|---|---|", *rows])


EXAMPLE = ROOT / "examples" / "gitops-pull-request"


def example_plan() -> str:
    """The plan of the example as it stands in a pull request."""
    with workplace():
        shutil.copytree(EXAMPLE / "specs", "specs")
        return steady(said("plan", "-o", "markdown")) + "\n"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text("utf-8")), "utf-8")
    (EXAMPLE / "plan.md").write_text(example_plan(), "utf-8")
