"""A user's directory and one of its portals: what the commands work on."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from reconciler import baseline as baselines
from reconciler.baseline import Baseline
from reconciler.errors import AccessError, UnavailableError, UsageError
from reconciler.kinds import Scope
from reconciler.model import NOT_READ, UNAVAILABLE, Json, Snapshot
from reconciler.observe import ListSource, Observation, observe, read
from reconciler.paths import Api
from reconciler.receipts import own_writes
from reconciler.settings import Portal, Settings
from reconciler.spec import Spec

if TYPE_CHECKING:
    from reconciler.client import Client, Options
    from reconciler.pace import Clock

# What to do about a state file that is none; it may be a spec, so nobody is told to delete it just like that.
NO_EMBEDDED_PORTAL = "if it was one, delete the file and the next run begins a new portal; else name another file"


class Workspace:
    """Specs, settings and baseline of one run, and the portal it is about."""

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        portal: Portal,
        environ: Mapping[str, str] | None = None,
        chosen_clock: "Clock | None" = None,
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.portal = portal
        self.environ = os.environ if environ is None else environ
        self.chosen_clock = chosen_clock
        self.cancelled: Callable[[], bool] = bool  # whether somebody wants the run to end

    @cached_property
    def api(self) -> Api:
        """The paths of the API version that the portal is reached by."""
        return Api(self.portal.api_version)

    @cached_property
    def clock(self) -> "Clock":
        """What this run waits by."""
        from reconciler.pace import IdleClock, WallClock

        return self.chosen_clock or (WallClock() if self.portal.emulator is None else IdleClock())

    @property
    def local_state(self) -> Path:
        """Where receipts and other things of this machine live."""
        return self.directory.resolve().parent / ".reconciler"

    @property
    def emulator_file(self) -> Path:
        """Where the embedded portal of this name keeps its state; ``~`` is somebody's home, as in a shell."""
        return (self.directory.resolve().parent / os.path.expanduser(self.portal.emulator or "")).resolve()

    @property
    def baseline_directory(self) -> Path:
        """Where the accepted state of this portal is committed."""
        return self.directory / "baselines" / self.portal.name

    @cached_property
    def baseline(self) -> Baseline | None:
        """What the portal looked like when somebody last accepted it."""
        return baselines.load(self.baseline_directory)

    def scope(self, spec: Spec | None, *, baselined: bool = False) -> Scope:
        """What a run has to read: watched and declared things, and for drift all that was ever accepted."""
        known = self.baseline
        watch = {*self.settings.watch}
        if baselined and known:
            watch |= {name.split("/")[1] for name in known.collections if name.startswith("properties/")}
        return Scope(
            api=self.api,
            watch=tuple(sorted(watch)),
            desired=spec.desired if spec else Snapshot(),
            removed=spec.removed if spec else {},
            baseline=known.snapshot if known else Snapshot(),
        )

    def observe(self, source: ListSource, scope: Scope) -> Observation:
        """The live portal, as far as a source can be read, once our own last writes show in it."""
        from reconciler.snapshot_file import RecordedRead

        if isinstance(source, RecordedRead):
            return observe(scope, read(source, scope))
        return self.settled(lambda: observe(scope, read(source, scope)))

    def settled(self, look: Callable[[], Observation]) -> Observation:
        """What a look at the portal shows once our own last writes show in it."""
        recent = own_writes(self.receipts, datetime.now(UTC), self.portal.portal_id).recent
        if not recent:
            return look()
        from reconciler.settling import settled

        return settled(look, recent, self.clock.wait)

    @property
    def receipts(self) -> Path:
        """Where the records of applies to this portal live."""
        return self.local_state / "receipts" / self.portal.name

    @property
    def notified(self) -> Path:
        """Where it is remembered what a webhook was told of this portal's drift."""
        return self.local_state / "notified" / f"{self.portal.name}.json"

    @property
    def token(self) -> str:
        """The token, for nobody but HubSpot; an embedded portal takes any."""
        return "embedded" if self.portal.emulator is not None else self.environ.get(self.portal.token_env, "")

    @property
    def author(self) -> str:
        """Whoever runs this: in CI the person who set it off, else the login name; nobody where neither is told."""
        names = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME", "USERNAME")
        return next((self.environ[name] for name in names if self.environ.get(name)), "")

    def connect(self, **options: "Unpack[Options]") -> "Client":
        """A connection to the portal, embedded or real."""
        from reconciler.client import Client, Retries

        options.setdefault("retries", Retries(**self.settings.retries))
        options.setdefault("clock", self.clock)
        options.setdefault("cancelled", self.cancelled)
        if self.portal.emulator is not None:
            from reconciler.emulator import Portal as Embedded
            from reconciler.emulator import SeedError, create_app

            file = self.emulator_file
            try:
                embedded = Embedded.open(file)
            except SeedError as error:
                message = f"{self.portal.emulator} is no embedded portal: {error}"
                raise UsageError(message, where=str(file), hint=NO_EMBEDDED_PORTAL) from error
            return Client.for_app(create_app(embedded), self.token, **options)
        if not self.token:
            hint = f"export {self.portal.token_env}=... with the service key of portal {self.portal.name}"
            raise AccessError(f"no token: {self.portal.token_env} is not set", hint=hint)
        options.setdefault("token_name", self.portal.token_env)
        return Client.for_http(self.portal.base_url, self.token, **options)

    def check_identity(self, source: ListSource) -> Json:
        """The portal id, compared with the configured one before anything else is asked."""
        if self.portal.portal_id is None and self.portal.emulator is None:
            return None
        answer = source.get_all([self.api.account()])[self.api.account()]
        if answer.status == NOT_READ:
            return self.portal.portal_id
        if answer.status == UNAVAILABLE:
            raise UnavailableError(f"the portal cannot be reached: {answer.body}")
        if not answer.ok:
            hint = "the scope `oauth` is needed; service keys always carry it"
            raise AccessError(f"the portal of this token cannot be told: status {answer.status}", hint=hint)
        live = answer.body.get("portalId")
        if live is None:
            hint = "look for a proxy that answers in HubSpot's place"
            raise AccessError("the portal of this token cannot be told: the account details name none", hint=hint)
        if self.portal.portal_id not in (None, live):
            raise self._another_portal(source, live)
        return live

    def _another_portal(self, source: ListSource, live: Json) -> AccessError:
        from reconciler.snapshot_file import RecordedRead

        if isinstance(source, RecordedRead):
            shown, hint = "the recorded read is of", "choose its portal with -p, or record this one anew"
        else:
            shown = "the token is for"
            hint = f"the token in {self.portal.token_env} belongs to another portal; check -p and the token"
        return AccessError(
            f"portal {self.portal.name} should be {self.portal.portal_id}, but {shown} {live}", hint=hint
        )

    def portal_json(self, portal_id: Json) -> dict[str, Json]:
        """The portal as documents name it."""
        told = {"name": self.portal.name, "portalId": portal_id, "apiVersion": self.portal.api_version}
        return {**told, "flags": self.flags} if self.flags else told

    @property
    def flags(self) -> str:
        """What leads a command to this portal and these specs; nothing where they are what any command takes."""
        found = []
        usual = self.settings.usual_portal
        if {usual, self.environ.get("RECONCILER_PORTAL") or usual} != {self.portal.name}:
            found += ["-p", self.portal.name]
        if {Path("specs"), Path(self.environ.get("RECONCILER_SPECS") or "specs")} != {self.directory}:
            found += ["--specs", str(self.directory)]
        return _quoted(found) if found else ""

    def command(self, words: str) -> str:
        """A command that works on this portal and these specs, to be pasted where this one ran."""
        return f"reconciler {words} {self.flags}".rstrip()

    def save_baseline(self, moved: Baseline, beside: Mapping[Path, str | bytes]) -> None:
        """Writes the files of the baseline that changed, and what has to go with them; each names its portal."""
        portal_id = moved.portal_id if self.portal.portal_id is None else self.portal.portal_id
        baselines.save(self.baseline_directory, moved._replace(portal_id=portal_id), beside)


def _quoted(words: Iterable[str]) -> str:
    from shlex import join  # loaded only for who is elsewhere than usual

    return join(words)
