"""HubSpot over HTTP: reads side by side, writes one by one, retries only where nothing can happen twice."""

import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler import VERSION
from reconciler.errors import (
    AccessError,
    ReadOnlyViolation,
    RequestRefused,
    UnavailableError,
    UnknownOutcome,
    UsageError,
)
from reconciler.model import UNAVAILABLE, Answer, Json
from reconciler.pace import Clock, Pace, WallClock

AT_ONCE = 12  # twelve reads at once cost what one costs (performance.md 1.6)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PAUSES = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}  # seconds, by policyName of a 429 (hubspot-api.md F.2)
TRANSIENT = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526})
READ_HEADS = ("/crm/", "/crm-object-schemas/", "/account-info/", "/settings/")
READ_POSTS = ("/search", "/batch/read", "/oauth/v2/private-apps/get/access-token-info")


@dataclass(frozen=True, slots=True)
class Retries:
    """How long to be patient with one request."""

    tries: int = 5
    wait_seconds: float = 20.0


class ReadOnlyTransport(httpx.BaseTransport):
    """Lets nothing through that could write; whatever else happens, it never leaves the process."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Hands on a request that only reads."""
        path = request.url.path
        reads = request.method == "GET" and path.startswith(READ_HEADS)
        if not reads and not (request.method == "POST" and path.endswith(READ_POSTS)):
            raise ReadOnlyViolation(f"{request.method} {path} is no read, and this run may only read")
        return self.inner.handle_request(request)

    def close(self) -> None:
        """Closes what is behind it."""
        self.inner.close()


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # 30 ms each, so one a process


@dataclass
class Client:
    """A connection to one portal; it says nothing of the token to anybody but HubSpot."""

    _transport: httpx.BaseTransport = field(repr=False)
    _base_url: str
    _token: str = field(repr=False)
    retries: Retries = field(default_factory=Retries)
    clock: Clock = field(default_factory=WallClock)
    on_wait: Callable[[str, float], None] = lambda reason, seconds: None
    token_name: str = "the token"
    requests_sent: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._pace = Pace(self.clock)
        self._lock = threading.Lock()

    @classmethod
    def for_http(cls, base_url: str, token: str, **options: Any) -> "Client":
        """A connection to a real portal, or to a server on this machine."""
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            hint = "use https; http is accepted for loopback only"
            raise UsageError(f"{base_url} is no address to send a token to", hint=hint)
        if not token.isascii() or not token.isprintable() or " " in token:
            raise AccessError("the token has signs that no token has", hint="check for a line break or a quote in it")
        secure = parts.scheme == "https"
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        verify: ssl.SSLContext | bool = _ssl_context() if secure else False
        transport = httpx.HTTPTransport(verify=verify, limits=limits, proxy=_proxy(parts.scheme, parts.hostname or ""))
        return cls(transport, base_url.rstrip("/"), token, **options)

    @classmethod
    def for_app(cls, app: Callable[..., Any], token: str, **options: Any) -> "Client":
        """A connection to a portal in this process."""
        return cls(httpx.WSGITransport(app), "http://embedded.invalid", token, **options)

    def reader(self) -> "Reader":
        """A view that cannot write."""
        return Reader(self, self._http(ReadOnlyTransport(self._transport)))

    def writer(self) -> "Writer":
        """A view that writes; only an apply is handed one."""
        return Writer(self, self._http(self._transport))

    def _http(self, transport: httpx.BaseTransport) -> httpx.Client:
        headers = {
            "authorization": f"Bearer {self._token}",
            "accept": "application/json",  # else HubSpot answers 404 in HTML (hubspot-api.md F.3)
            "user-agent": f"hubspot-reconciler/{VERSION}",
        }
        timeout = httpx.Timeout(60.0, connect=10.0)
        return httpx.Client(transport=transport, base_url=self._base_url, headers=headers, timeout=timeout)

    def exchange(self, http: httpx.Client, method: str, path: str, body: Json, *, repeatable: bool) -> Answer:
        """One request with patience; a trouble that may have had an effect ends it unless it is repeatable."""
        waited, tried = 0.0, 0
        while True:
            tried += 1
            result = self._once(http, method, path, body)
            if isinstance(result, Answer):
                return result
            if result.perhaps_done and not repeatable:
                raise UnknownOutcome(f"{method} {path}: {result.reason}", correlation_id=result.correlation_id)
            pause = result.pause if result.pause is not None else 0.5 * 2 ** (tried - 1)
            if result.final or tried >= self.retries.tries or waited + pause > self.retries.wait_seconds:
                hint = result.hint or f"given up after {tried} tries and {waited:g} s of waiting"
                raise UnavailableError(f"{path}: {result.reason}", hint=hint, correlation_id=result.correlation_id)
            self.on_wait(result.reason, pause)
            self.clock.wait(pause)
            waited += pause

    def _once(self, http: httpx.Client, method: str, path: str, body: Json) -> "Answer | _Trouble":
        window = self._pace.window(path)
        with window.slot():
            with self._lock:
                self.requests_sent[f"{method} {path.split('?')[0]}"] += 1
            try:
                response = http.request(method, path, json=body) if body is not None else http.request(method, path)
            except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError) as error:
                return _Trouble(f"cannot connect to {self._base_url}: {self._scrubbed(error)}", perhaps_done=False)
            except (httpx.TransportError, OSError) as error:
                return _Trouble(f"no answer: {self._scrubbed(error) or type(error).__name__}")
            window.learn(response.headers)
        return self._judged(response)

    def _judged(self, response: httpx.Response) -> "Answer | _Trouble":
        body, whole = _body(response)
        correlation = _correlation(response, body)
        match response.status_code:
            case 429:
                return _limited(response, body, correlation)
            case 423:
                pause = max(2.0, _seconds(response) or 2.0)
                return _Trouble("HubSpot has locked it (423)", pause, perhaps_done=False, correlation_id=correlation)
            case 477:
                pause = _seconds(response) or 10.0
                why = "the portal is moving between data centres (477)"
                return _Trouble(why, pause, perhaps_done=False, correlation_id=correlation)
            case 401:
                hint = f"check that {self.token_name} holds a service key that is still valid"
                raise AccessError("HubSpot does not know the token (401)", hint=hint, correlation_id=correlation)
            case status if status in TRANSIENT:
                return _Trouble(f"HubSpot answered {status}", correlation_id=correlation)
            case status if 200 <= status < 300 and not whole:
                return _Trouble(f"HubSpot answered {status} with something that is no JSON", correlation_id=correlation)
        return Answer(response.status_code, body, correlation, _denied(body))

    def _scrubbed(self, error: Exception) -> str:
        return str(error).replace(self._token, "***")


@dataclass(frozen=True, slots=True)
class _Trouble:
    """An exchange that gave no usable answer."""

    reason: str
    pause: float | None = None
    perhaps_done: bool = True
    final: bool = False
    hint: str = ""
    correlation_id: str = ""


def _proxy(scheme: str, host: str) -> str | None:
    return None if host in LOOPBACK or proxy_bypass(host) else getproxies().get(scheme)


def _body(response: httpx.Response) -> tuple[Json, bool]:
    """The JSON of an answer, and whether it is what it should be."""
    if not response.content:
        return None, True
    try:
        return json.loads(response.content), True
    except (ValueError, RecursionError):
        return response.text[:300], False


def _correlation(response: httpx.Response, body: Json) -> str:
    named = body.get("correlationId") if isinstance(body, Mapping) else None
    return str(named or response.headers.get("x-hubspot-correlation-id", ""))


def _seconds(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.replace(".", "", 1).isdigit() else None


def _limited(response: httpx.Response, body: Json, correlation: str) -> _Trouble:
    policy = str(body.get("policyName", "")) if isinstance(body, Mapping) else ""
    if policy == "DAILY":
        hint = "it is full again at midnight in the portal's time zone"
        reason = "the day's budget of requests is used up (429 DAILY)"
        return _Trouble(reason, perhaps_done=False, final=True, hint=hint, correlation_id=correlation)
    pause = _seconds(response) or PAUSES.get(policy, 1.0)
    reason = f"too many requests (429 {policy or 'without a policy'})"
    return _Trouble(reason, pause, perhaps_done=False, correlation_id=correlation)


def _denied(body: Json) -> tuple[str, ...]:
    context = body.get("context") if isinstance(body, Mapping) else None
    return tuple((context or {}).get("requiredGranularScopes", ()))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a portal, and can do nothing else."""

    _client: Client
    _http: httpx.Client = field(repr=False)

    def get(self, path: str) -> Answer:
        """The answer to one path; 403 and 404 are answers too."""
        return self._client.exchange(self._http, "GET", path, None, repeatable=True)

    def get_all(self, paths: Sequence[str]) -> dict[str, Answer]:
        """The answers to these paths, side by side; one that did not come is an answer that says so."""
        if len(paths) == 1:
            return {paths[0]: self._believed(paths[0])}
        with ThreadPoolExecutor(min(AT_ONCE, len(paths) or 1), thread_name_prefix="read") as pool:
            return dict(zip(paths, pool.map(self._believed, paths), strict=True))

    def _believed(self, path: str) -> Answer:
        try:
            answer = self.get(path)
        except UnavailableError as error:
            return Answer(UNAVAILABLE, f"{error} ({error.hint})", error.correlation_id)
        if answer.ok and not (isinstance(answer.body, Mapping) and _whole_list(path, answer.body)):
            return Answer(UNAVAILABLE, f"{path}: the answer is no list", answer.correlation_id)
        return answer

    def ask(self, path: str, body: Json) -> Answer:
        """A POST that only reads: a count, a batch read, the scopes of the token."""
        return self._client.exchange(self._http, "POST", path, body, repeatable=True)


def _whole_list(path: str, body: Mapping[str, Json]) -> bool:
    return isinstance(body.get("results"), list) or "/account-info/" in path or "/schemas/" in path


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to a portal."""

    _client: Client
    _http: httpx.Client = field(repr=False)

    def send(self, method: str, path: str, body: Json = None) -> Answer:
        """One write: an answer, a refusal, or an outcome that nobody knows; never sent twice on its own."""
        answer = self._client.exchange(self._http, method, path, body, repeatable=False)
        if not answer.ok:
            raise RequestRefused(
                answer.status, answer.body, request=f"{method} {path}", correlation_id=answer.correlation_id
            )
        return answer
