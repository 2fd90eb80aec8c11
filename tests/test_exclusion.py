"""Two runs that write for one portal from one machine exclude each other, whatever directories they were begun in."""

import os
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, serve
from reconciler.exclusion import exclusive
from reconciler.settings import load
from reconciler.workspace import Workspace

SPEC = "propertyGroups: {contacts: {g: {label: G}}}\n"
SETTINGS = "version: 1\nportals: {here: %s}\nwatch: [contacts]\n"


@pytest.fixture(autouse=True)
def _scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def directory(name, portal, spec=SPEC):
    """A directory of specs for a portal."""
    specs = Path(name, "specs")
    specs.mkdir(parents=True)
    (specs / "reconciler.yaml").write_text(SETTINGS % portal, "utf-8")
    (specs / "contacts.yaml").write_text(spec, "utf-8")
    return str(specs)


def held(specs):
    """The lock that an apply of these specs takes."""
    settings = load(Path(specs))
    return exclusive(Workspace(Path(specs), settings, settings.portal()))


def applied(specs):
    return run(["apply", "-q", "--auto-approve", "--specs", specs])


def test_a_second_directory_for_the_same_portal_is_turned_away(capsys):
    """By the portal's id, under whatever name; it is told who is at it, and later it gets its turn."""
    with serve(Portal.seeded("empty")) as server:
        one = directory("one", f"{{portalId: 12345678, baseUrl: '{server.url}'}}")
        two = directory("two", f"{{portalId: 12345678, baseUrl: '{server.url}', tokenEnv: HUBSPOT_ACCESS_TOKEN}}")
        with held(one):
            assert applied(two) == 6
        told = capsys.readouterr().err
        assert "error: another apply to portal here is running on this machine: process " in told
        assert f"process {os.getpid()}, since " in told
        assert f"for the specs in {Path('one').resolve()}\n" in told
        assert "wait for it to end, then run this again" in told
        assert applied(two) == 0


def test_two_directories_without_an_id_are_known_by_their_token(monkeypatch, capsys):
    """The lock's name tells nobody the token."""
    with serve(Portal.seeded("empty")) as server:
        one, two = (directory(name, f"{{baseUrl: '{server.url}'}}") for name in ("one", "two"))
        with held(one):
            assert applied(two) == 6
            monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-na1-of-another-portal")
            assert applied(two) == 0
    assert list(Path(os.environ["XDG_STATE_HOME"]).rglob("*pat-na1*")) == []


def test_a_directory_without_an_id_meets_one_with_it_by_their_token():
    """Only one of two checkouts says which portal it is, and writes the server's name in another way: one at a time."""
    with serve(Portal.seeded("empty")) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        one = directory("one", f"{{baseUrl: '{url}'}}")
        two = directory("two", f"{{portalId: 12345678, baseUrl: '{url.replace('localhost', 'LOCALHOST')}/'}}")

        with held(one):
            assert applied(two) == 6
        with held(two):
            assert applied(one) == 6


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_a_full_disk_has_room_for_a_lock(monkeypatch):
    """Who holds it cannot be written down there, which keeps nobody from holding it."""
    one = directory("one", "{emulator: here.json}")
    monkeypatch.setenv("XDG_STATE_HOME", str(Path("state").resolve()))
    assert applied(one) == 0
    (lock,) = Path("state").rglob("*.lock")
    lock.unlink()
    lock.symlink_to("/dev/full")

    assert applied(one) == 0


def test_an_embedded_portal_is_known_by_its_file():
    """Two directories about one file exclude each other, two portals of one name do not."""
    one, two = directory("one", "{emulator: ../shared.json}"), directory("two", "{emulator: ../shared.json}")
    other = directory("other", "{emulator: here.json}")

    with held(one):
        assert applied(two) == 6
        assert applied(other) == 0


def test_where_home_cannot_be_written_the_lock_lies_among_temporary_files(monkeypatch):
    """A container without a home is no reason to go without the lock."""
    Path("home").write_text("a file", "utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(Path("home").resolve()))
    monkeypatch.setattr("tempfile.tempdir", str(Path("scratch").resolve()))
    one, two = directory("one", "{emulator: ../shared.json}"), directory("two", "{emulator: ../shared.json}")

    with held(one):
        assert applied(two) == 6
    assert len(list(Path("scratch").rglob("*.lock"))) == 1


def test_a_link_that_somebody_laid_among_temporary_files_is_not_followed(monkeypatch, capsys):
    """Everybody may write there: a directory that is not our own could lead the lock to any file of ours."""
    Path("home").write_text("a file", "utf-8")
    Path("theirs").mkdir()
    Path("scratch").mkdir()
    Path("scratch", f"hubspot-reconciler-{os.getuid()}").symlink_to(Path("theirs").resolve())
    monkeypatch.setenv("XDG_STATE_HOME", str(Path("home").resolve()))
    monkeypatch.setattr("tempfile.tempdir", str(Path("scratch").resolve()))

    assert applied(directory("one", "{emulator: ../shared.json}")) == 3

    assert "is not a directory of this user" in capsys.readouterr().err
    assert list(Path("theirs").rglob("*")) == []


def test_where_nothing_can_be_locked_nothing_is_written(monkeypatch, capsys):
    """It says which directory could be made writable."""
    for name in ("home", "scratch"):
        Path(name).write_text("a file", "utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(Path("home").resolve()))
    monkeypatch.setattr("tempfile.tempdir", str(Path("scratch").resolve()))

    assert applied(directory("one", "{emulator: here.json}")) == 3
    assert "set XDG_STATE_HOME to a directory that can be written" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("accept", "--all", "--reason", "R"), ("adopt",), ("import",)])
def test_whatever_writes_specs_or_a_baseline_waits_for_its_turn(command, capsys):
    """Two at once, or one beside an apply, would lose what the other one writes; what only reads goes on."""
    one = directory("one", "{emulator: here.json}")
    assert applied(one) == 0
    settings = load(Path(one))

    with exclusive(Workspace(Path(one), settings, settings.portal()), "accept of"):
        assert run([*command, "--specs", one]) == 6
        assert run(["adopt", "--dry-run", "--specs", one]) == 0
        assert run(["drift", "--specs", one]) == 0
    assert "error: another accept of portal here is running on this machine: process " in capsys.readouterr().err
    assert run([*command, "--specs", one]) == 0


def test_two_portals_that_share_their_specs_write_them_one_after_the_other(capsys):
    """What is read from a portal may differ; the files that it goes into are the same."""
    one = directory("one", "{emulator: here.json}, there: {emulator: there.json}}\ndefaultPortal: here\nguards: {")
    settings = load(Path(one))

    with exclusive(Workspace(Path(one), settings, settings.portal("there")), "import of", specs=True):
        assert run(["import", "-q", "--specs", one]) == 6
        assert "error: another import of portal there is running on this machine: process " in capsys.readouterr().err
        assert applied(one) == 0
        assert run(["accept", "-q", "--all", "--reason", "R", "--specs", one]) == 0
