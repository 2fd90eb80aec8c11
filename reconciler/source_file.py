"""One YAML file of the user's: its content, where everything in it stands, and why it could not be read."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from reconciler.model import Finding, Source
from reconciler.yaml_loader import LARGEST, Document, load


class SourceFile(NamedTuple):
    """A file that was read; without a document its findings say why there is none."""

    name: str
    digest: str = ""
    document: Document | None = None
    findings: tuple[Finding, ...] = ()

    def place(self, *path: str | int, key: bool = False) -> Source:
        """Where an entry stands, or its key."""
        line, column = (1, 1) if self.document is None else self.document.locate(path, key)
        return Source(self.name, line, column)

    def key(self, *path: str | int) -> Source:
        """Where the key of an entry stands; each definition is asked for it, so most take no detour."""
        mark = self.document.marks.get(path) if self.document else None
        return Source(self.name, mark[0], mark[1]) if mark else self.place(*path, key=True)

    def frame(self, source: Source | None) -> str:
        """The lines around a place, with a mark under it."""
        if self.document is None or source is None:
            return ""
        return self.document.frame(source.line, source.column)


def read(path: Path, name: str) -> SourceFile:
    """A file with its problems as findings; never raises for what a file may be like."""
    try:
        if not path.is_file():
            if not path.exists() and path.is_symlink():
                return _unreadable(name, "it is a link that leads nowhere", "mend the link or delete it")
            return _unreadable(name, "it is no regular file", "move it out of the specs directory")
        if path.stat().st_size > LARGEST:
            return _unreadable(name, f"it is larger than {LARGEST >> 20} MiB", "split it into several files")
        content = path.read_bytes()
    except OSError as error:
        return _unreadable(name, error.strerror or str(error), "check that it is there and may be read")
    return parsed(content, name)


def parsed(content: bytes, name: str) -> SourceFile:
    """A file of this content."""
    document = load(content, name)
    findings = tuple(
        Finding(
            problem.rule,
            "error",
            problem.message,
            problem.fix,
            source=Source(name, problem.line, problem.column),
            frame=document.frame(problem.line, problem.column),
        )
        for problem in document.problems
    )
    return SourceFile(name, "sha256:" + hashlib.sha256(content).hexdigest(), document, findings)


def _unreadable(name: str, why: str, fix: str) -> SourceFile:
    finding = Finding("unreadable-file", "error", f"{name} cannot be read: {why}", fix, source=Source(name, 1, 1))
    return SourceFile(name, findings=(finding,))
