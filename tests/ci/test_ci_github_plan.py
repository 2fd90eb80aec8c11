"""``reconciler ci plan`` on GitHub: every surface of a pull request, against an emulated host over loopback."""

import json
from pathlib import Path

import pytest
from ci_workplace import CONTACTS
from host_fakes import TOKEN

from reconciler.ci import marks
from reconciler.cli import run
from reconciler.client import Web
from reconciler.errors import UnavailableError

PLAN = ["ci", "plan", "-q"]
CHANGED = CONTACTS.replace("label: One", "label: Uno")
MANY = CONTACTS + "".join(
    f"    p{n}: {{label: L{n}, type: string, fieldType: text, groupName: g}}\n" for n in range(120)
)


def comments(github):
    return [one["body"] for one in github.comments.values()]


def wrote(github):
    """The verbs that reached comments."""
    return [method for method, path in github.writes() if "comments" in path]


def test_a_plan_is_one_comment_that_is_left_alone_while_nothing_changes(github, workplace):
    """The comment is created, not touched by an equal plan, updated by another one, and turned to no changes."""
    workplace.specs(CHANGED)
    assert run(PLAN) == 0
    assert wrote(github) == ["POST"]
    assert "1 to update" in comments(github)[0]

    github.forget()
    workplace.specs("# only a line moved\n" + CHANGED)
    assert run(PLAN) == 0
    assert wrote(github) == []

    workplace.specs(CHANGED.replace("label: Two", "label: Due"))
    assert run(PLAN) == 0
    assert wrote(github) == ["PATCH"]
    assert len(comments(github)) == 1
    assert "2 to update" in comments(github)[0]

    workplace.specs()
    assert run(PLAN) == 0
    assert wrote(github) == ["PATCH", "PATCH"]
    assert "No changes" in comments(github)[0]


def test_nothing_is_said_of_no_changes_unless_asked(github):
    """A clean plan makes no comment; --comment always does."""
    assert run(PLAN) == 0
    assert comments(github) == []

    assert run([*PLAN, "--comment", "always"]) == 0
    assert len(comments(github)) == 1

    github.comments.clear()
    github.forget()
    assert run([*PLAN, "--comment", "never"]) == 0
    assert [path for _, path, _ in github.calls if "comments" in path] == []


def test_every_portal_has_its_own_comment(github, workplace):
    """Portals by glob or all of them, each with a comment that is found again."""
    workplace.specs(CHANGED)

    assert run([*PLAN, "-p", "demo", "--portals", "oth*"]) == 0
    assert run([*PLAN, "--portals", "all"]) == 0

    assert wrote(github) == ["POST", "POST"]
    assert {marks.find(body).key for body in comments(github)} == {
        marks.key("demo", "specs"),
        marks.key("other", "specs"),
    }
    assert run([*PLAN, "-p", "nowhere"]) == 3


def test_a_plan_of_a_part_has_a_comment_of_its_own(github, workplace):
    """With --only, nothing is said over what the whole plan said, and each is found again."""
    workplace.specs(CHANGED)
    for words in ([], ["--only", "properties/contacts/one"], [], ["--only", "properties/contacts/one"]):
        assert run([*PLAN, *words]) == 0

    assert wrote(github) == ["POST", "POST"]
    assert {check["name"] for check in github.checks} == {
        "HubSpot plan: demo",
        "HubSpot plan: demo (only properties/contacts/one)",
    }


@pytest.mark.parametrize("words", [PLAN, ["ci", "apply", "-q", "--no-approval"], ["ci", "drift", "-q"]])
def test_a_part_that_no_portal_has_is_refused(github, workplace, words, capsys):
    """With --only, a typing error approves nothing, closes nothing and ends in 3, however many portals there are."""
    assert run([*words, "-p", "demo", "--only", "properties/contacts/onne"]) == 3
    told = capsys.readouterr().out
    assert "properties/contacts/onne" in told
    assert "did you mean properties/contacts/one?" in told
    assert [check["external_id"] for check in github.checks if "external_id" in check] == []
    assert github.issues == {}


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("{", 3),
        ("", 3),
        ("[]", 0),
        ('{"pull_request": "7"}', 0),
        ('{"pull_request": {"number": 7, "head": "a1", "base": []}}', 0),
    ],
)
def test_an_event_that_somebody_wrote_by_hand(github, workplace, event, code, capsys):
    """Who plays a pull request on a laptop is told what is wrong with the event, or has what is in it taken."""
    Path("event.json").write_text(event, "utf-8")

    assert run(PLAN) == code

    assert ("the event in event.json cannot be read" in capsys.readouterr().err) == (code == 3)


def test_the_status_of_live_is_of_the_part_that_was_asked_for(github, workplace):
    """With --only, what else differs from the base branch makes no status red."""
    workplace.on_github(base=workplace.git("rev-parse", "HEAD"))
    workplace.edit(property="one", label="Edited")

    assert run([*PLAN, "--only", "properties/contacts/two"]) == 0

    assert [(status[1], status[2]) for status in github.statuses if "live" in status[1]] == [
        ("HubSpot live: demo (only properties/contacts/two)", "success")
    ]


def test_a_mark_that_somebody_copied_is_not_ours(github, workplace):
    """A comment of a person is never edited, whatever it says."""
    workplace.specs(CHANGED)
    run(PLAN)
    (body,) = comments(github)
    github.comments.clear()
    github.comments[1] = {"id": 1, "issue": 7, "body": body, "user": {"login": "mallory", "type": "User"}}

    assert run(PLAN) == 0

    assert github.comments[1]["body"] == body
    assert len(github.comments) == 2


def test_a_comment_that_is_too_long_is_told_shorter(github, workplace):
    """Where GitHub refuses the length, less is told, and something is told."""
    workplace.specs(MANY)
    github.longest = 9_000

    assert run(PLAN) == 0

    (body,) = comments(github)
    assert len(body) <= 9_000
    assert "120 to create" in body


def test_an_update_that_kept_the_old_text_is_noticed(github, workplace, capsys):
    """GitHub may answer 200 and keep the old body: it is read back, told shorter, and at last made anew."""
    workplace.specs(CHANGED)
    run(PLAN)
    github.keeps_old_over = 9_000
    workplace.specs(MANY)
    assert run(PLAN) == 0
    (body,) = comments(github)
    assert "120 to create" in body
    assert len(body.encode()) <= 9_000

    github.keeps_old_over = 0
    github.forget()
    workplace.specs(CHANGED.replace("label: Two", "label: Due"))
    assert run(PLAN) == 0
    assert wrote(github) == ["PATCH", "PATCH", "PATCH", "POST", "DELETE"]
    (body,) = comments(github)
    assert "2 to update" in body
    assert "kept the old text" in capsys.readouterr().err


def test_two_statuses_tell_the_change_from_the_state(github, workplace):
    """What the pull request changes is one status, and whether live matches the base branch another."""
    base = workplace.git("rev-parse", "HEAD")
    workplace.on_github(base=base)
    workplace.specs(CHANGED)
    assert run(PLAN) == 0
    assert github.statuses == [
        ("a1", "HubSpot plan: demo", "success", "Plan: 1 to update, 2 unchanged."),
        ("a1", "HubSpot live: demo", "success", f"live already matches {base[:7]}"),
    ]

    github.statuses.clear()
    workplace.edit(property="two", label="Edited in HubSpot")
    assert run(PLAN) == 0
    assert [status[1:3] for status in github.statuses] == [
        ("HubSpot plan: demo", "success"),
        ("HubSpot live: demo", "failure"),
    ]
    assert github.statuses[1][3] == f"live: 1 definition differs from {base[:7]}"


def test_a_base_that_is_not_there_costs_a_warning(github, workplace, capsys):
    """A shallow checkout has no base commit: the second status is left out, and the way out is named."""
    workplace.on_github(base="f" * 40)

    assert run(PLAN) == 0

    assert [context for _, context, _, _ in github.statuses] == ["HubSpot plan: demo"]
    assert "fetch-depth" in capsys.readouterr().err


def test_the_check_run_carries_the_digest(github, workplace):
    """The digest of the reviewed plan is in the check run of the head commit."""
    workplace.specs(CHANGED)
    assert run([*PLAN, "--documents", "docs"]) == 0

    document = json.loads(Path("docs/plan-demo.json").read_text("utf-8"))
    (check,) = github.checks
    assert check["external_id"] == f"hubspot-reconciler/1 {marks.key('demo', 'specs')} {document['digest']}"
    assert (check["head_sha"], check["conclusion"]) == ("a1", "success")


@pytest.mark.parametrize("base", ["a: [\n", "- x\n", "properties: {contacts: {one: {label: One, type: strong}}}\n"])
def test_a_base_whose_specs_have_errors_costs_a_warning(github, workplace, capsys, base):
    """What cannot be read declares nothing, and nothing always matches: the second status is left out."""
    workplace.specs(base)
    workplace.git("commit", "-qam", "wrong")
    workplace.specs()
    workplace.git("commit", "-qam", "right")

    assert run([*PLAN, "--base-ref", "HEAD~1"]) == 0

    assert [context for _, context, _, _ in github.statuses] == ["HubSpot plan: demo"]
    said = capsys.readouterr().err
    assert "whether live matches the base branch is not known: its specs have errors: " in said


def test_a_portal_that_is_unreadable_for_the_base_costs_a_warning(github, workplace, capsys):
    """Only the base declares something of a list that answers 403: what it comes to is not known."""
    workplace.specs(CONTACTS + "  companies: {tier: {label: Tier, type: string, fieldType: text, groupName: g}}\n")
    workplace.git("commit", "-qam", "with companies")
    workplace.specs()
    workplace.git("commit", "-qam", "without")
    workplace.forbid("/crm/v3/properties/companies")

    assert run([*PLAN, "--base-ref", "HEAD~1"]) == 0

    assert [context for _, context, _, _ in github.statuses] == ["HubSpot plan: demo"]
    said = capsys.readouterr().err
    assert "whether live matches the base branch is not known: properties/companies could not be read" in said


def many_options(number):
    """So many properties, of which each takes 11,000 bytes of a page."""
    options = ", ".join(f"{{value: v{n}{'y' * 60}, label: l{n}{'z' * 100}}}" for n in range(60))
    head = "label: L, type: enumeration, fieldType: select, groupName: g"
    return "".join(f"    p{n}: {{{head}, options: [{options}]}}\n" for n in range(number))


def approvals(github):
    return ["external_id" in check for check in github.checks]


def test_a_plan_that_no_page_shows_whole_cannot_be_approved(github, workplace):
    """Two portals share the summary of the job: what fits there alone and not beside another one was read by nobody."""
    workplace.specs(CONTACTS + many_options(60))
    assert run([*PLAN, "-p", "demo"]) == 0
    assert approvals(github) == [True]

    github.checks.clear()
    assert run([*PLAN, "-p", "all"]) == 0
    assert approvals(github) == [False, False]


def test_without_a_summary_the_check_run_is_the_page(github, workplace, monkeypatch):
    """Its own text takes less, and a plan that it shows whole can be approved."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    workplace.specs(CHANGED)
    assert run(PLAN) == 0
    assert approvals(github) == [True]

    github.checks.clear()
    workplace.specs(CONTACTS + many_options(8))
    assert run(PLAN) == 0
    assert approvals(github) == [False]


def test_a_plan_that_failed_cannot_be_approved(github, workplace):
    """Specs with errors are told everywhere, and the check run carries no digest."""
    workplace.specs(CONTACTS.replace("type: string", "type: strong", 1))

    assert run(PLAN) == 3

    (check,) = github.checks
    assert "external_id" not in check
    assert check["conclusion"] == "failure"
    assert github.statuses[0][2] == "error"
    assert "strong" in comments(github)[0]


def test_the_step_has_outputs_a_summary_and_annotations(github, workplace, capsys):
    """Later steps read outputs, people the job summary, and reviewers see what destroys at its line."""
    stone = "removed:\n  - {address: properties/contacts/two, reason: unused}\n"
    workplace.specs(CHANGED.replace("    two: {label: Two, type: string, fieldType: text, groupName: g}\n", stone))

    assert run(PLAN) == 0

    outputs = workplace.outputs()
    assert outputs["plan-digest"].startswith("sha256:")
    assert {name: outputs[name] for name in outputs if "digest" not in name and name != "summary"} == {
        "exit-code": "0",
        "has-changes": "true",
        "has-destructive": "true",
        "has-drift": "false",
        "blocked": "true",
        "creates": "0",
        "updates": "1",
        "deletes": "1",
    }
    assert "properties/contacts/two" in Path("summary.md").read_text("utf-8")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert len(said) == 1
    assert said[0].startswith(
        "::warning file=specs/contacts.yaml,line=6,col=5,title=archive properties/contacts/two::Records keep"
    )


def test_ten_annotations_are_shown_and_the_rest_is_counted(github, workplace, capsys):
    """GitHub drops the eleventh in silence, so the ten worst are shown and one line tells of the others."""
    wrong = "".join(f"    w{n}: {{label: W, type: strong, fieldType: text, groupName: g}}\n" for n in range(14))
    workplace.specs(CONTACTS + wrong)

    assert run(PLAN) == 3

    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert [line.split(" ")[0] for line in said] == ["::error"] * 10 + ["::notice"]
    assert said[-1].endswith("4 more in the job summary")


@pytest.mark.parametrize(
    ("denied", "permission", "what"),
    [
        ({"comments": "pull-requests: write"}, "pull-requests: write", "the comment"),
        ({"statuses": "statuses=write"}, "statuses: write", "the commit status"),
        ({"check-runs": "checks=write"}, "checks: write", "the check run"),
    ],
)
def test_a_missing_permission_costs_a_warning_that_names_it(github, workplace, capsys, denied, permission, what):
    """The other surfaces are written, the exit code stays, and the warning says what the job needs."""
    github.denied = denied
    workplace.specs(CHANGED)

    assert run(PLAN) == 0

    said = capsys.readouterr().err
    assert f"warning: {what} was not written: GitHub answered POST" in said
    assert f"the job needs the permission `{permission}`" in said
    assert len([path for _, path in github.writes() if not any(word in path for word in denied)]) == 2


def test_without_a_token_the_run_still_tells_what_it_can(github, workplace, capsys, monkeypatch):
    """Summary, annotations and outputs need no token."""
    monkeypatch.delenv("GITHUB_TOKEN")
    workplace.specs(CHANGED)

    assert run(PLAN) == 0

    assert github.calls == []
    assert workplace.outputs()["updates"] == "1"
    assert "GITHUB_TOKEN is not set" in capsys.readouterr().err


def test_without_a_repository_the_reason_is_told(github, workplace, capsys, monkeypatch):
    """The token is there, so it is not what is missing."""
    monkeypatch.delenv("GITHUB_REPOSITORY")

    assert run(PLAN) == 0

    said = capsys.readouterr().err
    assert "no comment, status or issue is written: the environment does not name the repository" in said


def test_a_dry_run_prints_every_call_and_makes_none(github, workplace, capsys):
    """Nobody is called, nothing is appended, and every body can be read."""
    workplace.specs(CHANGED)

    assert run([*PLAN, "--dry-run"]) == 0

    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("would")]
    assert github.calls == []
    assert not Path("summary.md").exists()
    assert [" ".join(line.split(" ")[:4]) for line in said if "would call" in line] == [
        "would call GET /repos/acme/crm/issues/7/comments",
        "would call POST /repos/acme/crm/issues/7/comments",
        "would call POST /repos/acme/crm/statuses/a1",
        "would call POST /repos/acme/crm/check-runs",
    ]


def test_the_token_is_in_no_output(github, workplace, capsys):
    """Also when GitHub sends it back in an error."""
    github.denied = {"comments": f"issues {TOKEN}"}
    workplace.specs(CHANGED)
    run([*PLAN, "--documents", "docs", "-v"])

    told = capsys.readouterr()
    texts = [told.out, told.err, *(path.read_text("utf-8") for path in Path().rglob("*.md"))]
    assert not any(TOKEN in text for text in texts)


@pytest.mark.parametrize("sign", ["\n", " ", "\r\n", "\u00e9", "\x1b"])
def test_a_token_with_a_line_break_or_an_odd_sign_is_told_and_never_sent(github, workplace, capsys, sign):
    """Secrets are often stored with a line break: the name of the variable is said, and nothing of its value."""
    workplace.environ(GITHUB_TOKEN=TOKEN + sign)

    assert run([*PLAN, "--comment", "always"]) == 0

    said = "".join(capsys.readouterr())
    assert "GITHUB_TOKEN has signs that no token has; check it for a line break, a blank or a quote" in said
    assert TOKEN not in said
    assert github.calls == []


@pytest.mark.parametrize("end", ["\n", "'\n", "\\\n"])
def test_an_error_of_http_holds_no_secret_however_it_is_written(github, workplace, end):
    """What the library says of a header it refuses is a Python literal of it."""
    web = Web(workplace.url, {"private-token": TOKEN + end}, secrets=[TOKEN + end])

    with pytest.raises(UnavailableError, match=r"Illegal header value b.\*\*\*.$") as caught:
        web.send("GET", "/user")

    assert TOKEN not in str(caught.value)


def test_hostile_labels_give_no_commands_and_no_outputs(github, workplace, capsys):
    """A label can neither forge an output nor a workflow command, nor a mark of ours."""
    hostile = "x%0A::error::boo\\n::set-output name=a::b\\nblocked=false <!-- reconciler:plan key=0 -->"
    stone = "removed:\n  - {address: properties/contacts/three, reason: unused}\n"
    workplace.specs(CONTACTS.replace("label: One", f'label: "{hostile}"') + stone)

    assert run(PLAN) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.lstrip().startswith(("::error", "::set-output"))] == []
    assert workplace.outputs()["blocked"] == "false"
    assert comments(github)[0].count("<!-- reconciler:plan") == 1


def test_wrong_specs_are_told_with_the_portal_that_they_are_wrong_for(github, workplace, capsys):
    """In the log of several portals each says whose specs these are; an overlay may be wrong for one of them alone."""
    Path("specs/overlays/other").mkdir(parents=True)
    Path("specs/overlays/other/contacts.yaml").write_text("properties: {contacts: {one: {labell: X}}}\n", "utf-8")

    assert run([*PLAN, "-p", "all"]) == 3

    told = capsys.readouterr().out
    assert "Specs for other" in told
    assert "Plan for demo" in told
