"""The little of git that is needed: which commit a name means, and the specs as they were in it."""

import io
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import UsageError


def commit_of(ref: str, near: Path) -> str:
    """The full id of the commit that a name means, in the repository that a directory lies in."""
    done = ran(top(near), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if done.returncode:
        hint = "fetch it first; in CI the checkout has to reach back that far (`fetch-depth: 0`)"
        raise UsageError(f"there is no commit {ref} in this repository", hint=hint)
    return done.stdout.decode().strip()


@contextmanager
def specs_at(commit: str, directory: Path) -> Iterator[Path]:
    """A directory as it was in a commit; where it was not there yet, an empty one."""
    root = top(directory)
    inside = _inside(directory, root)
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        target = Path(folder) / "tree"
        target.mkdir()
        if ran(root, "cat-file", "-e", f"{commit}:{inside}").returncode == 0:
            _extract(root, commit, inside, target)
        (target / inside).mkdir(parents=True, exist_ok=True)
        yield target / inside


def _extract(root: Path, commit: str, inside: str, target: Path) -> None:
    """Unpacks a directory, and what links in it lead to elsewhere in the repository."""
    wanted, unpacked = {inside}, set[str]()
    while wanted:
        unpacked |= wanted
        led_to = _unpacked(root, commit, sorted(wanted - {"."}), target)
        missing = {one for one in led_to - unpacked if not (target / one).exists()}
        wanted = {one for one in missing if tried(root, "cat-file", "-e", f"{commit}:{one}")}


def _unpacked(root: Path, commit: str, paths: Sequence[str], target: Path) -> set[str]:
    """Puts files of a commit into a directory, and says where links among them lead.

    ``git archive`` would leave out what attributes exclude from archives.
    """
    listed = run(root, "ls-tree", "-r", "-z", "--full-tree", commit, *(["--", *paths] if paths else []))
    entries = [
        (*about.split(), name) for about, _, name in (one.partition("\t") for one in listed.split("\0")) if about
    ]
    blobs = [(mode, name, blob) for mode, kind, blob, name in entries if kind == "blob"]  # and not another repository
    led_to, top_of_it = set(), target.resolve()
    for (mode, name, _), content in zip(blobs, _contents(root, [blob for *_, blob in blobs]), strict=True):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if mode == _LINK:
            there = os.fsdecode(content)
            end = (place.parent / there).resolve()
            if not end.is_relative_to(top_of_it):
                raise UsageError(f"the specs of {commit} reach outside the repository: {name} is a link")
            if not place.is_symlink():
                place.symlink_to(there)
            led_to.add(end.relative_to(top_of_it).as_posix())
        else:
            place.write_bytes(content)
    return led_to


_LINK = "120000"


def _contents(root: Path, blobs: Sequence[str]) -> Iterator[bytes]:
    """What these blobs hold, in their order."""
    done = ran(root, "cat-file", "--batch", told="".join(f"{blob}\n" for blob in blobs).encode())
    stream = io.BytesIO(done.stdout)
    for blob in blobs:
        *_, size = stream.readline().split() or [b""]
        if not size.isdigit():  # "missing"; or nothing at all, where git tried to fetch it and gave up
            raise UsageError(f"git does not have {blob}", hint="fetch it first: the clone is not whole")
        yield stream.read(int(size))
        stream.read(1)


def top(near: Path) -> Path:
    """The root of the repository."""
    there = near.resolve()
    while not there.is_dir():
        there = there.parent
    done = ran(there, "rev-parse", "--show-toplevel")
    if done.returncode and b"not a git repository" not in done.stderr:  # but one of somebody else's, in a container
        raise _failed(done, "rev-parse")
    if done.returncode:
        hint = "run it in a clone of the repository that holds the specs"
        raise UsageError(f"{near} is in no git repository", where=str(near), hint=hint)
    return Path(done.stdout.decode().removesuffix("\n"))


def _inside(directory: Path, root: Path) -> str:
    return directory.resolve().relative_to(root.resolve()).as_posix()


@dataclass(frozen=True, slots=True)
class Moved:
    """A file that is not as the last commit has it; without a text it is gone."""

    path: str  # below the root of the repository
    text: str | None
    tracked: bool


def moved(directory: Path) -> list[Moved]:
    """The files below a directory that differ from the last commit."""
    root = top(directory)
    wanted = ["--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", str(directory.resolve())]
    entries = run(root, "status", *wanted).split("\0")
    return [_moved(root, entry[3:], entry[:2]) for entry in entries if entry]


def _moved(root: Path, path: str, state: str) -> Moved:
    there = root / path
    return Moved(path, there.read_text("utf-8") if there.is_file() else None, state != "??")


def run(where: Path, *words: str) -> str:
    """What a git command says, if it ends well."""
    done = ran(where, *words)
    if done.returncode:
        raise _failed(done, *words)
    return done.stdout.decode(errors="surrogateescape")


def _failed(done: subprocess.CompletedProcess[bytes], *words: str) -> UsageError:
    return UsageError(f"git {_command(words)} failed: {done.stderr.decode(errors='replace').strip()}")


def _command(words: Sequence[str]) -> str:
    """What git was to do; settings for this once stand before it."""
    return _command(words[2:]) if words[0] == "-c" else words[0]


def tried(where: Path, *words: str) -> bool:
    """Whether a git command ends well."""
    return ran(where, *words).returncode == 0


def ran(where: Path, *words: str, told: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """A git command that has run, however it ended."""
    english = {**os.environ, "LC_ALL": "C"}  # what it says is told, and looked into
    try:
        return subprocess.run(
            ["git", "-C", str(where), *words], input=told, capture_output=True, check=False, env=english
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed", hint="install git") from error
