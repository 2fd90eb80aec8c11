"""Measures the command line against floors of the same run, and prints a table of ratios.

    python -m tests.benchmarks [--sizes 500,2000,10000] [--rounds 5] [--portals 500] [PART]...

The parts are start, offline, write, online, apply, shared, fleet and peers, or all of them.

Whole processes run in turn, and a ratio is the median over the rounds, so that other work on the machine hits both
sides alike. ``apply`` and ``shared`` wait for a real window: half a minute and more than a minute. ``fleet`` has one
core, its portals another, and its ratios are shares of what it may take. Measure in an environment with nothing but
the run-time dependencies: others slow every start.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.request import urlopen

from tests.benchmarks import fleets, made_up
from tests.benchmarks.peers import Peer
from tests.benchmarks.rounds import ROOT, Cost, environment, in_turn, once, ratio

OURS = ("reconciler",)
FLOORS = (sys.executable, str(ROOT / "tests/benchmarks/floors.py"))
LIMIT, WINDOW = 190, 10
UPDATES = 600
WATCHED = "contacts, companies, deals, tickets"
MOST = Cost(wall=0.05, cpu=0.045, peak=160)  # of a portal, but for the memory: that is of all of them


class Row(NamedTuple):
    """A line of the table; the ratios are of processor time, wall time, and peak memory."""

    what: str
    size: str
    floor: str
    cpu: float | None
    wall: float | None
    peak: float | None
    bar: str


def start(work: Path, rounds: int) -> Iterator[Row]:
    """How long nothing takes."""
    commands = {
        "python": ("-c", "pass"),
        "click": ("-c", "import click"),
        "version": (*OURS, "--version"),
        "module": ("-m", "reconciler", "--version"),
        "help": (*OURS, "--help"),
    }
    costs = in_turn(commands, work, work / "cache", rounds)
    yield _row("--version", "", "bare python", costs["version"], costs["python"], "1.3")
    yield _row("--version, by python -m", "", "bare python", costs["module"], costs["python"], "1.3")
    yield _row("--help", "", "bare click", costs["help"], costs["click"], "1.3")


def offline(work: Path, rounds: int, size: int) -> Iterator[Row]:
    """Everything that needs no portal, against the YAML events and ``json.loads``."""
    place = _prepared(work, size)
    recorded = ("--from-snapshot", "live.json", "-q")
    baseline = sorted(str(path.relative_to(place)) for path in place.glob("known/baselines/*/*.json"))
    commands = {
        "floor": (*FLOORS, "events", "changed/contacts.yaml", "live.json"),
        "known floor": (*FLOORS, "events", "known/contacts.yaml", "live.json", *baseline),
        "validate": (*OURS, "validate", "--specs", "changed"),
        "broken": (*OURS, "validate", "--specs", "broken"),
        "plan": (*OURS, "plan", "--specs", "changed", *recorded),
        "known": (*OURS, "plan", "--specs", "known", *recorded),
        "drift": (*OURS, "drift", "--specs", "known", *recorded),
        "load": (*FLOORS, "load", "creates.json"),
        "text": (*OURS, "show", "creates.json"),
    }
    costs = in_turn(commands, place, work / "cache", rounds, refused=("broken",))
    n, floor = f"{size:,}", "YAML events + json.loads"
    yield _row("validate", n, floor, costs["validate"], costs["floor"], "1.6")
    yield _row("validate, one entry refused", n, "validate", costs["broken"], costs["validate"], "1.5")
    yield _row("plan, no baseline", n, floor, costs["plan"], costs["floor"], "2.0; 2.2 at 500")
    yield _row("plan, with a baseline", n, floor, costs["known"], costs["floor"], "2.0; 2.2 at 500")
    yield _row("plan, with a baseline", n, f"{floor}, the baseline's, too", costs["known"], costs["known floor"], "")
    yield _row("drift", n, "plan, with a baseline", costs["drift"], costs["known"], "0.6")
    yield _row("text of a plan of creates", n, "json.loads of it", costs["text"], costs["load"], "")


def write(work: Path, rounds: int, size: int) -> Iterator[Row]:
    """Writing specs."""
    place = _prepared(work, size)
    commands = {
        "dump": (*FLOORS, "dump", "content.json", "dumped.yaml"),
        "write": (*FLOORS, "write", "content.json", "written.yaml"),
        "import": (*OURS, "import", "--specs", "imported", "--from-snapshot", "live.json", "-q"),
    }
    costs = in_turn(commands, place, work / "cache", rounds)
    yield _row("writing YAML", f"{size:,}", "yaml.CSafeDumper", costs["write"], costs["dump"], "0.15")
    yield _row("import, all of it", f"{size:,}", "yaml.CSafeDumper", costs["import"], costs["dump"], "")


def online(work: Path, rounds: int) -> Iterator[Row]:
    """A plan of 500 properties over HTTP at 150 ms, against the same lists one after the other."""
    place = _prepared(work, 500)
    types = WATCHED.split(", ")
    answers = json.loads((place / "live.json").read_bytes())["responses"] | fleets.labels()
    (place / "online.json").write_text(made_up.recording(answers))
    paths = [f"/crm/v3/properties/{one}{part}" for one in types for part in ("", "/groups")]
    paths += [*(f"/crm/v3/pipelines/{one}" for one in types[:2]), *fleets.labels()]
    with _portal(place / "online.json", 150, 0, LIMIT, 0) as url:
        specs = made_up.directory(
            place / "online", (place / "same/contacts.yaml").read_text(), made_up.settings(WATCHED, baseUrl=url)
        )
        (specs / "labels.yaml").write_text(fleets.LABELS)
        before = _seen(url)["requests"]
        once((*OURS, "plan", "--specs", str(specs), "-q"), place, work / "cache")
        sent = _seen(url)["requests"] - before
        commands = {
            "serial": (*FLOORS, "serial", url, *paths),
            "plan": (*OURS, "plan", "--specs", str(specs), "-q"),
        }
        costs = in_turn(commands, place, work / "cache", rounds)
    yield _row("plan online at 150 ms", "500", "the same lists in turn", costs["plan"], costs["serial"], "0.25")
    yield Row(
        "requests of that plan", "500", "4 x (1 + groups), 2 pipelines, 2 labels", None, sent / len(paths), None, "1"
    )


def apply(work: Path, taken: int) -> Iterator[Row]:
    """Updates that no batch can hold, under an enforced window."""
    listed = made_up.properties(1000)
    place = _fresh(work / f"apply-{taken}")
    (place / "live.json").write_text(made_up.recording(made_up.answers(listed)))
    with _portal(place / "live.json", 120, 60, LIMIT, taken) as url:
        content = made_up.spec(made_up.relabelled(listed, UPDATES))
        specs = made_up.directory(place / "specs", content, made_up.settings("contacts", baseUrl=url))
        once((*OURS, "apply", "--specs", str(specs), "--auto-approve", "-q"), place, work / "cache")
        seen = _seen(url)
    ideal = (seen["requests"] - 1) // (LIMIT - taken) * WINDOW  # from the first write to the last one
    what = f"apply of {UPDATES} updates at {LIMIT} per 10 s" + (f", {taken} of them used by another" if taken else "")
    yield Row(what, f"{seen['requests']} requests", "ideal", None, seen["writing"] / ideal, None, "1.03")
    yield Row("answers of 429 in it", "", "none", None, float(seen["429"]), None, "0")


def fleet(work: Path, number: int) -> Iterator[Row]:
    """Many portals that answer after 150 to 250 ms, on one core: the ratios are of the bars."""
    place, cache = work / "fleet", work / "cache"
    once(("-m", "tests.benchmarks.fleets", "answers", str(place)), work, cache)
    few = max(2, number // 10)
    with _portal(place / "live.json", 150, 100, LIMIT, 0, core=0) as url:
        for many in (number, few):
            once(("-m", "tests.benchmarks.fleets", "settle", str(place), url, str(many)), work, cache)

        def spent(command: str, specs: str, many: int) -> Cost:
            words = (*OURS, "fleet", command, str(place / f"{specs}-{many}"), "-q")
            return once(words, place, cache, more=fleets.tokens(many), core=1)

        def row(what: str, cost: Cost) -> Row:
            each = f"{cost.wall:.1f} s, {cost.cpu / number * 1000:.0f} ms of cpu each, {cost.peak:.0f} MiB"
            bars = f"{MOST.wall * number:g} s, {MOST.cpu * 1000:g} ms, {MOST.peak:g} MiB"
            shares = (cost.cpu / MOST.cpu / number, cost.wall / MOST.wall / number, cost.peak / MOST.peak)
            return Row(f"fleet {what}: {each}", f"{number} x {fleets.LISTS}", bars, *shares, "1")

        before = _seen(url)
        plan = spent("plan", "same", number)
        sent, refused = (_seen(url)[what] - before[what] for what in ("requests", "429"))
        yield row("plan, nothing changed", plan)
        yield row("plan, 1 % changed", spent("plan", "changed", number))
        yield row("drift, nothing moved", spent("drift", "same", number))
        peak = plan.peak / spent("plan", "same", few).peak
    yield Row(
        "requests of that plan", f"{sent}", f"{fleets.LISTS} a portal", None, sent / number / fleets.LISTS, None, "1"
    )
    yield Row("answers of 429 in it", "", "none", None, float(refused), None, "0")
    yield Row(f"memory of {number} portals", "", f"{few} portals", None, None, peak, "1.2")


def peers(work: Path, rounds: int, size: int) -> Iterator[Row]:
    """Other reconcilers on as many things, nothing to do and one in a hundred changed (see ``peers``)."""
    place = _prepared(work, size)
    made = (sys.executable, "-m", "tests.benchmarks.peers", str(place / "peers"), str(size))
    said = subprocess.run(made, check=True, stdout=subprocess.PIPE, cwd=ROOT, env=environment(work / "cache")).stdout
    found = [Peer(*one) for one in json.loads(said)]
    recorded = ("--from-snapshot", "live.json", "-q")
    for what, specs, wanted in (
        ("nothing changed", "settled", [(one.name, one.same) for one in found]),
        ("1 % changed", "known", [(one.name, one.changed) for one in found if one.changed]),
    ):
        costs = in_turn(
            {"": (*OURS, "plan", "--specs", specs, *recorded), **dict(wanted)}, place, work / "cache", rounds
        )
        for name, _ in wanted:
            bar = {"octoDNS": "0.083", "Terraform": "0.083; 0.033 at 5,000"}.get(name.split()[0], "")
            yield _row(f"plan, {what}", f"{size:,}", name, costs[""], costs[name], bar)


# --- what they work on -----------------------------------------------------------------------------------------------


def _fresh(place: Path) -> Path:
    place.mkdir(parents=True)
    return place


def _prepared(work: Path, size: int) -> Path:
    """A made-up portal of a size: its recorded read, and the specs directories that the commands work on."""
    place = work / str(size)
    if not place.exists():  # elsewhere, for a process begins with the peak memory of the one that starts it
        once(("-m", "tests.benchmarks.workspaces", str(work), str(size)), work, work / "cache")
    return place


@contextmanager
def _portal(answers: Path, latency: int, jitter: int, limit: int, taken: int, core: int | None = None) -> Iterator[str]:
    """The address of a portal in a process of its own."""
    words = map(str, (answers, latency, jitter, limit, taken))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.portal", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(answers.parent / "cache"),
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _seen(url: str) -> dict[str, Any]:
    with urlopen(f"{url}/_seen") as answer:
        seen: dict[str, Any] = json.load(answer)
    return seen


def _row(what: str, size: str, floor: str, costs: Sequence[Cost], against: Sequence[Cost], bar: str) -> Row:
    return Row(what, size, floor, *(ratio(costs, against, of) for of in ("cpu", "wall", "peak")), bar)


# --- the table -------------------------------------------------------------------------------------------------------


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| what | size | against | cpu | wall | memory | bar |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        ratios = ("" if value is None else _shown(value) for value in (row.cpu, row.wall, row.peak))
        lines.append("| " + " | ".join((row.what, row.size, row.floor, *ratios, row.bar)) + " |")
    return "\n".join(lines)


def _shown(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 or not value else f"{value:.3f}"


def measured(sizes: Sequence[int], rounds: int, parts: Sequence[str], work: Path, portals: int) -> Iterator[Row]:
    """The rows of the parts that are asked for."""
    if "start" in parts:
        yield from start(work, rounds * 3)
    for size in sizes:
        if "offline" in parts:
            yield from offline(work, rounds, size)
        if "write" in parts:
            yield from write(work, rounds, size)
        if "peers" in parts:
            yield from peers(work, rounds, size)
    if "online" in parts:
        yield from online(work, rounds)
    if "apply" in parts:
        yield from apply(work, 0)
    if "shared" in parts:
        yield from apply(work, LIMIT // 2)
    if "fleet" in parts:
        yield from fleet(work, portals)


PARTS = ("start", "offline", "write", "online", "apply", "shared", "fleet", "peers")


def main(argv: Sequence[str]) -> str:
    """The table for a command line."""
    parser = ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--sizes", default="500,2000,10000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--portals", type=int, default=500, help="of the fleet")
    parser.add_argument("parts", nargs="*", default=[])
    given = parser.parse_args(argv)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    with TemporaryDirectory(prefix="benchmarks-") as directory:
        sizes = [int(size) for size in given.sizes.split(",")]
        return table(list(measured(sizes, given.rounds, given.parts or PARTS, Path(directory), given.portals)))


if __name__ == "__main__":
    print(main(sys.argv[1:]))
