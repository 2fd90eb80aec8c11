"""The little of git that is needed: which commit a name means, and the specs as they were in it."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
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
    wanted = ["--", inside] if inside != "." else []
    done = ran(root, "archive", "--format=tar", commit, *wanted)
    if done.returncode:
        raise UsageError(f"git cannot unpack {commit}: {done.stderr.decode(errors='replace').strip()}")
    try:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(target, filter="data")
    except tarfile.FilterError as error:
        raise UsageError(f"the specs of {commit} reach outside the repository: {error}") from error


def top(near: Path) -> Path:
    """The root of the repository."""
    there = near.resolve()
    while not there.is_dir():
        there = there.parent
    done = ran(there, "rev-parse", "--show-toplevel")
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
        raise UsageError(f"git {words[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="surrogateescape")


def tried(where: Path, *words: str) -> bool:
    """Whether a git command ends well."""
    return ran(where, *words).returncode == 0


def ran(where: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """A git command that has run, however it ended."""
    try:
        return subprocess.run(["git", "-C", str(where), *words], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise UsageError("git is not installed", hint="install git") from error
