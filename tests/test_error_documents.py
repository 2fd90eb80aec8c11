"""Whoever asked for a document gets one, also of a run that could not begin."""

import json

import pytest

from reconciler.cli import _bug, run
from reconciler.cli.session import Session


@pytest.mark.parametrize("words", [["plan"], ["drift"], ["apply", "--auto-approve"], ["validate"], ["import"]])
def test_a_run_that_cannot_begin_has_a_document(words, tmp_path, monkeypatch, capsys):
    """Missing settings are an error in the JSON document, with the exit code in it, and no internal error."""
    monkeypatch.chdir(tmp_path)

    assert run([*words, "-o", "json"]) == 3

    document = json.loads(capsys.readouterr().out)
    assert document["exit"] == {"code": 3, "name": "usage"}
    assert [error["code"] for error in document["errors"]] == ["usage"]


def test_a_bug_shows_no_sign_that_acts(capsys):
    """What an unexpected error says may come from a portal; neither it nor its traceback reaches a terminal raw."""
    for words in ([], ["-v"]):
        session = Session(words)
        session.options["verbose"] = bool(words)
        try:
            raise RuntimeError("\x1b[2J")
        except RuntimeError as error:
            code = _bug(error, session)
        assert code == 1
        said = capsys.readouterr().err
        assert said.startswith("internal error: RuntimeError: ")
        assert "\x1b" not in said
