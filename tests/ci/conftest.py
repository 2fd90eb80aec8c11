import os
from pathlib import Path

import pytest
from ci_workplace import CI_NAMES, IGNORED, SETTINGS, Workplace
from host_fakes import GitHub, served

from reconciler.cli import run


@pytest.fixture
def workplace(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(CI_NAMES)]:
        monkeypatch.delenv(name)
    place = Workplace(monkeypatch)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")
    Path(".gitignore").write_text(IGNORED, "utf-8")
    place.specs()
    assert run(["apply", "-q", "--auto-approve"]) == 0
    place.git("init", "-q", "-b", "main", ".")
    place.git("add", ".")
    place.git("commit", "-qm", "base")
    capsys.readouterr()
    return place


@pytest.fixture
def github(workplace):
    host = GitHub()
    with served(host) as url:
        workplace.url = url
        workplace.on_github()
        yield host
