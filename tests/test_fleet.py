"""One command over many portals: isolation, order, one report, shards."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from reconciler import emulator
from reconciler.cli import run
from reconciler.fleet import Member, Shard
from reconciler.fleet_run import Run
from reconciler.schema import document_schema
from reconciler.settings import Portal, Settings

NAMES = ("acme", "globex", "hooli", "umbrella")
SETTINGS = "version: 1\nportals:\n" + "".join(f"  {name}: {{emulator: .reconciler/{name}.json}}\n" for name in NAMES)
SPEC = """\
propertyGroups: {contacts: {cs: {label: Success}}}
properties: {contacts: {cs_score: {label: Score, type: number, fieldType: number, groupName: cs}}}
"""
SCORE = "properties/contacts/cs_score"


@pytest.fixture
def fleet(tmp_path, monkeypatch, capsys):
    """Four embedded portals, and what a fleet command says of them."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS + "watch: [contacts]\n", "utf-8")
    Path("specs/contacts.yaml").write_text(SPEC, "utf-8")

    def command(*words):
        code = run(["fleet", *words, "-o", "json", "--quiet"])
        document = json.loads(capsys.readouterr().out)
        assert document["exit"]["code"] == code
        Draft7Validator(document_schema("fleet")).validate(document)
        return document

    return command


def verdicts(document):
    return {one["name"]: one["verdict"] for one in document["portals"]}


def edited(name, **parameters):
    emulator.edit(emulator.Portal.open(Path(f".reconciler/{name}.json")), "relabel", object="contacts", **parameters)


def journal(command):
    return sorted(Path(".reconciler/fleet").glob(f"{command}-*.jsonl"))[-1]


@pytest.mark.parametrize("words", [["plan"], ["drift"], ["apply", "--auto-approve"]])
def test_only_what_some_portal_has(fleet, words):
    """A pattern may name what one portal alone has; one that names nothing in any of them is a usage error."""
    Path("specs/overlays/acme").mkdir(parents=True)
    mine = "properties: {contacts: {mine: {label: Mine, type: string, fieldType: text, groupName: cs}}}\n"
    Path("specs/overlays/acme/contacts.yaml").write_text(mine, "utf-8")
    assert fleet("apply", "--auto-approve")["exit"]["code"] == 0

    assert fleet(*words, "--only", "properties/contacts/mine")["exit"]["code"] == 0

    document = fleet(*words, "--only", "properties/contacts/mine", "--only", "properties/contacts/cs_scoer")
    assert (document["exit"]["code"], set(verdicts(document).values())) == (3, {"same"})
    ((message, hint),) = [(one["message"], one["hint"]) for one in document["errors"]]
    assert "properties/contacts/cs_scoer" in message
    assert hint == f"did you mean {SCORE}?"
    assert fleet(*words, "--only", "properties/contacts/cs_scoer", "--shard", "1/2")["exit"]["code"] == 0


def test_a_slip_in_a_pattern_denies_no_write(fleet):
    """One of two patterns names nothing, the other one was applied: an exit code of 3 says that nothing was written."""
    words = ("--only", "propertyGroups/*/*", "--only", "properties/contacts/cs_scoer")

    assert fleet("apply", "--auto-approve", *words)["exit"] == {"code": 7, "name": "partial"}
    assert fleet("apply", "--auto-approve", *words)["exit"] == {"code": 3, "name": "usage"}


def test_every_portal_has_its_verdict_and_the_run_the_worst_exit_code(fleet):
    """A portal without a token fails alone; the others are planned, and its exit code is that of the run."""
    Path("specs/reconciler.yaml").write_text(SETTINGS + "  lost: {tokenEnv: NO_SUCH_TOKEN}\n", "utf-8")
    fleet("apply", "--auto-approve", "--portals", "acme")

    document = fleet("plan")

    assert verdicts(document) == {
        "acme": "same",
        "globex": "differs",
        "hooli": "differs",
        "lost": "failed",
        "umbrella": "differs",
    }
    assert document["exit"] == {"code": 4, "name": "access"}
    assert document["summary"] == {"portals": 5, "same": 1, "differs": 3, "failed": 1}
    states = next(one["states"] for one in document["portals"] if one["name"] == "globex")
    assert states == {"missing": [SCORE, "propertyGroups/contacts/cs"]}


def test_a_line_of_json_is_written_as_each_portal_finishes(fleet, capsys):
    """The lines are the results of the report, and the journal holds the same."""
    assert run(["fleet", "plan", "-q", "-o", "jsonl", "-o", "json:report.json"]) == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    document = json.loads(Path("report.json").read_text("utf-8"))
    assert sorted(lines, key=lambda one: one["name"]) == document["portals"]
    assert [json.loads(line) for line in journal("plan").read_text("utf-8").splitlines()] == lines


def test_drift_says_which_portal_a_colleague_touched(fleet):
    """One portal drifted, three did not, and the run ends with 2."""
    fleet("apply", "--auto-approve")
    edited("hooli", property="cs_score", label="Points")

    document = fleet("drift")

    assert verdicts(document) == {"acme": "same", "globex": "same", "hooli": "drifted", "umbrella": "same"}
    assert document["exit"]["code"] == 2
    assert fleet("plan", "--portals", "hooli")["portals"][0]["states"] == {"drifted": [SCORE]}


def test_the_matrix_counts_what_is_as_it_should_be(fleet):
    """Declared definitions for plan and apply, adopted ones too; for drift every live one but those that moved."""

    def same(document):
        return {one["name"]: one["same"] for one in document["portals"]}

    assert same(fleet("plan", "--portals", "acme")) == {"acme": 0}
    assert same(fleet("apply", "--auto-approve")) == dict.fromkeys(NAMES, 2)
    shutil.rmtree("specs/baselines/globex")
    assert same(fleet("plan")) == dict.fromkeys(NAMES, 2)
    fleet("apply", "--auto-approve")
    before = same(fleet("drift"))["hooli"]
    edited("hooli", property="cs_score", label="Points")

    assert same(fleet("drift")) == {**dict.fromkeys(NAMES, before), "hooli": before - 1}
    assert before > 300


def test_text_and_markdown_name_the_portals_that_are_not_as_declared(fleet, capsys):
    """The report answers which portal and which definition."""
    fleet("apply", "--auto-approve", "--portals", "acme", "--portals", "hooli")

    assert run(["fleet", "plan", "-q"]) == 0
    text = capsys.readouterr().out
    assert "  property cs_score of contacts: missing in globex, umbrella\n" in text
    assert text.endswith("Fleet: 4 portals: 2 as declared, 2 would change.\n")
    assert run(["fleet", "plan", "-q", "-o", "markdown"]) == 0
    markdown = capsys.readouterr().out
    assert "| `properties/contacts/cs_score` | = | + | = | + |\n" in markdown


def test_a_canary_that_fails_ends_the_run_and_a_resume_goes_on(fleet):
    """Nobody after the canary is begun; the journal tells what is left, and a second run does just that."""
    Path(".reconciler").mkdir()
    Path(".reconciler/hooli.json").write_text("broken", "utf-8")

    stopped = fleet("apply", "--auto-approve", "--canary", "hooli", "--wave", "1")

    assert verdicts(stopped) == {
        "acme": "not-started",
        "globex": "not-started",
        "hooli": "failed",
        "umbrella": "not-started",
    }
    assert stopped["exit"]["code"] != 0
    assert stopped["portals"][0]["errors"][0]["message"] == "the canary hooli failed"
    Path(".reconciler/hooli.json").unlink()
    done = fleet("apply", "--auto-approve", "--canary", "hooli", "--portals", "hooli", "--portals", "acme")
    assert verdicts(done) == {"acme": "applied", "hooli": "applied"}

    resumed = fleet("apply", "--auto-approve", "--resume", str(journal("apply")))

    assert verdicts(resumed) == dict.fromkeys(NAMES, "applied")
    names = [one["name"] for one in map(json.loads, journal("apply").read_text("utf-8").splitlines())]
    assert sorted(names) == ["globex", "umbrella"]
    assert verdicts(fleet("plan")) == dict.fromkeys(NAMES, "same")


def test_an_apply_stops_when_too_many_portals_fail(fleet):
    """In waves of one, a second failure is one too many; those not begun say so."""
    Path(".reconciler").mkdir()
    for name in ("acme", "globex"):
        Path(f".reconciler/{name}.json").write_text("broken", "utf-8")

    document = fleet("apply", "--auto-approve", "--wave", "1", "--max-failures", "1")

    assert verdicts(document) == {
        "acme": "failed",
        "globex": "failed",
        "hooli": "not-started",
        "umbrella": "not-started",
    }


def test_saved_plans_are_applied_exactly_or_not_at_all(fleet):
    """What moved since the review is stale in its own portal; the others get what was reviewed, not newer specs."""
    fleet("apply", "--auto-approve")
    Path("specs/contacts.yaml").write_text(SPEC.replace("Score", "Rating"), "utf-8")
    fleet("plan", "--plans", "plans")
    Path("specs/contacts.yaml").write_text(SPEC.replace("Score", "Not reviewed"), "utf-8")
    edited("globex", property="cs_score", label="Points")

    document = fleet("apply", "--plans", "plans", "--max-failures", "4")

    assert verdicts(document) == {"acme": "applied", "globex": "failed", "hooli": "applied", "umbrella": "applied"}
    assert document["portals"][1]["exit"] == {"code": 5, "name": "stale"}
    assert document["exit"] == {"code": 7, "name": "partial"}
    labels = [
        emulator.Portal.open(Path(f".reconciler/{name}.json")).definitions("0-1")["properties"]["cs_score"]["label"]
        for name in NAMES
    ]
    assert labels == ["Rating", "Points", "Rating", "Rating"]


def test_every_portal_has_a_plan_of_its_own(fleet):
    """Directories whose names differ in a sign that no file name may have do not share the file of a plan."""
    for directory in ("a_b", "a/b"):
        Path(directory).mkdir(parents=True)
        Path(directory, "reconciler.yaml").write_text(f"{SETTINGS}watch: [contacts]\n", "utf-8")
        Path(directory, "contacts.yaml").write_text(SPEC, "utf-8")

    fleet("plan", "a_b", "a/b", "--portals", "*acme", "--plans", "plans")

    assert sorted(path.name for path in Path("plans").iterdir()) == ["a%2Fb%3Aacme.json", "a_b%3Aacme.json"]


def test_shards_are_a_partition_and_merge_into_the_report_of_one_run(fleet, capsys):
    """Each portal is in one shard, wherever it runs; a missing or doubled shard is refused."""
    whole = fleet("plan")
    for index in (1, 2, 3):
        assert run(["fleet", "plan", "-q", "--shard", f"{index}/3", "-o", f"json:{index}.json"]) == 0
    capsys.readouterr()

    joined = fleet("merge", "1.json", "2.json", "3.json")

    timeless = [{key: one[key] for key in one if key not in ("at", "seconds")} for one in joined["portals"]]
    assert timeless == [{key: one[key] for key in one if key not in ("at", "seconds")} for one in whole["portals"]]
    assert joined["shards"] == ["1/3", "2/3", "3/3"]
    assert run(["fleet", "merge", "1.json", "3.json"]) == 3
    assert "reports are missing: shard 2/3" in capsys.readouterr().err
    assert run(["fleet", "merge", "1.json", "1.json", "2.json", "3.json"]) == 3
    assert "is in 1.json and in 1.json" in capsys.readouterr().err


def test_several_directories_are_one_fleet(fleet, tmp_path):
    """Portals of the same name are told apart by their directory."""
    other = tmp_path / "other" / "specs"
    other.mkdir(parents=True)
    (other / "reconciler.yaml").write_text("version: 1\nportals: {acme: {emulator: .reconciler/a.json}}\n", "utf-8")
    (other / "a.yaml").write_text("propertyGroups: {deals: {d: {label: D}}}\n", "utf-8")

    document = fleet("plan", "specs", "other/specs")

    assert sorted(verdicts(document)) == ["globex", "hooli", "other/specs:acme", "specs:acme", "umbrella"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "--portals", "acne"], "did you mean acme?"),
        (["plan", "--portals", "production"], "there are acme, globex, hooli, umbrella"),
        (["plan", "--shard", "4/3"], "write it as 2/8"),
        (["apply"], "nobody is there to approve the plans"),
        (["apply", "--auto-approve", "--canary", "nobody"], "no portal is called nobody"),
        (["plan", "--resume", "none.jsonl"], "cannot read none.jsonl"),
        (["merge", "specs/reconciler.yaml"], "is not JSON"),
    ],
)
def test_a_wrong_flag_ends_the_run_before_anything_is_asked(fleet, capsys, words, said):
    """Exit 3, what is wrong, and the way out."""
    assert run(["fleet", *words]) == 3
    assert said in capsys.readouterr().err
    assert not list(Path(".reconciler").glob("*.json"))


def test_a_portal_that_hangs_delays_no_other():
    """It takes one place in flight; everybody else is through before it comes back."""
    others_done = threading.Event()
    finished = []

    def job(member):
        if member.name == "hangs":
            assert others_done.wait(60)
        return {"kind": "plan", "generatedAt": "", "exit": {"code": 0, "name": "ok"}, "changes": []}

    def told(result):
        finished.append(result["name"])
        if len(finished) == 7:
            others_done.set()

    names = ["hangs", *(f"p{number}" for number in range(7))]
    members = [Member(Path("specs"), Settings({}), Portal(name), name) for name in names]

    Run("plan", job, lambda: datetime.now(UTC), 2, told).over([members])

    assert finished == [*names[1:], "hangs"]


def test_a_bug_in_one_portal_is_that_portals_result():
    """An unexpected error is an internal error of its portal, and the run goes on."""

    def job(member):
        if member.name == "bad":
            raise ZeroDivisionError("division by zero")
        return {"kind": "plan", "generatedAt": "", "exit": {"code": 0, "name": "ok"}, "changes": []}

    members = [Member(Path("specs"), Settings({}), Portal(name), name) for name in ("bad", "good")]
    results = Run("plan", job, lambda: datetime.now(UTC), 1, lambda result: None).over([members])

    assert [(one["name"], one["verdict"], one["exit"]["code"]) for one in results] == [
        ("bad", "failed", 1),
        ("good", "same", 0),
    ]


def test_shards_depend_on_the_number_of_the_portal_alone():
    """A renamed portal stays in its shard, and every portal is in exactly one."""
    members = [Member(Path("specs"), Settings({}), Portal(f"p{n}", portal_id=n), f"p{n}") for n in range(1, 200)]
    shards = [Shard(index, 4) for index in (1, 2, 3, 4)]

    held = [[member.name for member in members if shard.holds(member)] for shard in shards]

    assert sorted(name for part in held for name in part) == sorted(member.name for member in members)
    assert min(map(len, held)) > 30
    renamed = [Member(Path("specs"), Settings({}), Portal("new", portal_id=n), "new") for n in range(1, 200)]
    assert [shards[0].holds(one) for one in members] == [shards[0].holds(one) for one in renamed]


EXAMPLE = Path(__file__).parent.parent / "examples" / "fleet"


def test_the_example_runs_in_several_processes_and_merges(tmp_path):
    """Its specs apply to three portals that differ as told; the job's own command line makes shards that merge."""
    shutil.copytree(EXAMPLE / "specs", tmp_path / "specs")
    where = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    words = [sys.executable, "-m", "reconciler", "fleet"]
    subprocess.run([*words, "apply", "--canary", "sandbox", "--auto-approve"], **where)
    (job,) = re.findall(r"- >-\n(.*?)\n +envFrom", (EXAMPLE / "kubernetes/job.yaml").read_text("utf-8"), re.DOTALL)
    script = " ".join(job.split()).replace("/work/specs", "specs").replace("/reports/", "").replace("/8", "/2")
    script = script.replace("reconciler fleet", shlex.join(words))

    running = [
        subprocess.Popen(["sh", "-c", script], cwd=tmp_path, env={**os.environ, "JOB_COMPLETION_INDEX": str(index)})
        for index in (0, 1)
    ]

    assert [one.wait() for one in running] == [0, 0]
    done = subprocess.run([*words, "merge", "shard-0.json", "shard-1.json"], **where)
    assert done.stdout.endswith("Fleet: 3 portals: 3 as declared.\n")
    labels = {
        name: emulator.Portal.open(tmp_path / f".reconciler/{name}.json").definitions("0-1")["properties"]
        for name in ("eu", "us")
    }
    assert labels["eu"]["cs_plan_tier"]["label"] == "Plan tier (Europe)"
    assert [option["value"] for option in labels["us"]["cs_plan_tier"]["options"]] == ["free", "gold", "state"]
    assert ("cs_tax_id" in labels["eu"], "cs_tax_id" in labels["us"]) == (False, True)
