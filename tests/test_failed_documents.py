import json

import pytest

from reconciler.cli import run


@pytest.mark.parametrize(
    "words", [["plan"], ["apply", "--auto-approve"], ["drift"], ["import"], ["plan", "--detailed-exitcode"]]
)
def test_a_run_that_cannot_begin_still_prints_a_document(tmp_path, monkeypatch, capsys, words):
    """With -o json a failure is a document, and its number is the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    (tmp_path / "specs/baselines/lost").mkdir(parents=True)
    (tmp_path / "specs/reconciler.yaml").write_text(
        "version: 1\nportals: {lost: {portalId: 5, tokenEnv: NO_SUCH_TOKEN}}\n"
    )
    (tmp_path / "specs/a.yaml").write_text("propertyGroups: {contacts: {g: {label: G}}}\n")

    code = run([*words, "-o", "json"])

    document = json.loads(capsys.readouterr().out)
    expected = 3 if words == ["drift"] else 4  # drift has no baseline, and says that first
    assert (code, document["exit"]["code"], document["kind"]) == (expected, expected, words[0])
    if expected == 4:
        assert "NO_SUCH_TOKEN" in document["errors"][0]["message"]
