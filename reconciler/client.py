"""HubSpot over HTTP: reads side by side, writes one by one, retries only where nothing can happen twice.

Also the plain way to anything else that is not HubSpot: the API of a CI host, a webhook.
"""

import json
import os
import re
import ssl
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict, Unpack
from urllib.parse import SplitResult, urlsplit
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
from reconciler.pace import Clock, OutOfPatience, Pace, Patience, WallClock, Window
from reconciler.read_list import is_list, only_reads
from reconciler.trouble import Believable, Raw, Trouble, a_result, a_whole_list, an_object, judged

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

AT_ONCE = 12
LOOPBACK = re.compile(r"localhost|::1|127(\.\d{1,3}){3}")
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, ConnectionRefusedError)
NO_ANSWER = (httpx.RequestError, OSError)
PARTS = 10  # times the time-out is as long as a whole answer may take
TELLING = ("x-hubspot-ratelimit-", "date")  # headers for whoever wants to know how things stand
SECRET_LENGTH = 16  # a shorter token is the embedded portal's, and might be a word of an answer


@dataclass(frozen=True, slots=True)
class Retries:
    """How long to be patient with one request."""

    tries: int = 5
    wait_seconds: float = 20.0


def is_token(text: str) -> bool:
    """Whether a text can be sent as a token at all."""
    return re.fullmatch(r"[!-~]+", text) is not None


def _quietly(reason: str, seconds: float) -> None:
    """Nobody is told of a wait."""


class Options(TypedDict, total=False):
    """What a client can be told beside where its portal is."""

    retries: Retries
    clock: Clock
    on_wait: Callable[[str, float], None]  # called from any thread
    cancelled: Callable[[], bool]  # whether somebody wants the run to end: then nothing is waited for
    token_name: str
    timeout_seconds: float
    connections: int


class ReadOnlyTransport(httpx.BaseTransport):
    """Lets nothing through that could write; whatever else happens, it never leaves the process."""

    def __init__(self, inner: httpx.BaseTransport, base_path: str = "") -> None:
        self._inner = inner
        self._base_path = base_path

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Hands on a request that only reads."""
        path = request.url.raw_path.decode("ascii").removeprefix(self._base_path)
        if not only_reads(request.method, path):
            raise ReadOnlyViolation(f"{request.method} {path} is no read, and this run may only read")
        return self._inner.handle_request(request)


class InProcess(httpx.WSGITransport):
    """A portal in this process, which is told the path as it was encoded: a name may have a slash in it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        target = request.url.raw_path.decode("ascii")
        told = httpx.WSGITransport(lambda environ, start: self.app({**environ, "REQUEST_URI": target}, start))
        return told.handle_request(request)


@dataclass(eq=False)
class Client:
    """A connection to one portal; it says nothing of the token to anybody but HubSpot."""

    _transport: httpx.BaseTransport = field(repr=False)
    _base_url: str
    _token: str = field(repr=False)
    retries: Retries = field(default_factory=Retries)
    clock: Clock = field(default_factory=WallClock, repr=False)
    on_wait: Callable[[str, float], None] = field(default=_quietly, repr=False)
    cancelled: Callable[[], bool] = field(default=bool, repr=False)
    token_name: str = "the token"
    timeout_seconds: float = 60.0
    connections: int = AT_ONCE  # that a read uses side by side
    told: dict[str, str] = field(default_factory=dict, repr=False)  # what the last answers said of budget and time
    requests_sent: Counter[str] = field(default_factory=Counter, repr=False)  # by verb and path, without the query

    def __post_init__(self) -> None:
        if not is_token(self._token):
            hint = f"check {self.token_name} for a line break, a blank or a quote"
            raise AccessError("the token has signs that no token has", hint=hint)
        self._pace = Pace(self.clock)
        self._lock = threading.Lock()
        weakref.finalize(self, self._transport.close)

    @classmethod
    def for_http(cls, base_url: str, token: str, **options: Unpack[Options]) -> "Client":
        """A connection to a real portal, or to a server on this machine."""
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts)):
            hint = "use https; http is accepted for loopback only"
            raise UsageError(f"{parts.scheme}://{parts.hostname} is no address to send a token to", hint=hint)
        if parts.username or parts.query or parts.fragment:
            raise UsageError("baseUrl holds more than a host and a path", hint="write it like https://api.hubapi.com")
        return cls(_transport(parts), base_url.rstrip("/"), token, **options)

    @classmethod
    def for_app(cls, app: "WSGIApplication", token: str, **options: Unpack[Options]) -> "Client":
        """A connection to a portal in this process."""
        return cls(InProcess(app), "http://embedded.invalid", token, **options)

    def reader(self) -> "Reader":
        """A view that cannot write."""
        return Reader(self, self._http(ReadOnlyTransport(self._transport, urlsplit(self._base_url).path)))

    def writer(self) -> "Writer":
        """A view that writes; only an apply is handed one."""
        return Writer(self, self._http(self._transport))

    def _http(self, transport: httpx.BaseTransport) -> httpx.Client:
        headers = {
            "authorization": f"Bearer {self._token}",
            "accept": "application/json",  # else HubSpot answers 404 in HTML (hubspot-api.md F.3)
            "accept-encoding": "gzip",
            "user-agent": f"hubspot-reconciler/{VERSION}",
        }
        timeout = httpx.Timeout(self.timeout_seconds, connect=10.0)
        return httpx.Client(transport=transport, base_url=self._base_url, headers=headers, timeout=timeout)

    def exchange(self, http: httpx.Client, ask: "Ask") -> Answer:
        """One request with patience; where it may have had an effect, it is only repeated if it reads."""
        patience, tried = Patience(self.clock, self.retries.wait_seconds, self.cancelled), 0
        while True:
            result = self._once(http, ask, patience)
            tried += 1
            if isinstance(result, Answer):
                return self._admitted(result)
            if result.perhaps_done and not ask.reads:
                raise _unknown(ask, result)
            pause = result.pause if result.pause is not None else 0.5 * 2 ** (tried - 1)
            if result.final or tried >= self.retries.tries or not patience.lasts(pause):
                raise _unavailable(ask, result, tried, patience.waited)
            self.on_wait(result.reason, pause)
            try:
                patience.wait(pause)
            except OutOfPatience:
                raise _unavailable(ask, result, tried, patience.waited) from None

    def _once(self, http: httpx.Client, ask: "Ask", patience: Patience) -> Answer | Trouble:
        try:
            return self._sent(http, ask, patience)
        except OutOfPatience as spent:
            reason = f"HubSpot takes no requests for another {spent.seconds:.0f} s (429)"
            return Trouble(reason, perhaps_done=False, final=True, hint="try again after that")

    def _sent(self, http: httpx.Client, ask: "Ask", patience: Patience) -> Answer | Trouble:
        window = self._pace.window(ask.path)
        with window.slot(patience) as slot:
            with self._lock:
                self.requests_sent[f"{ask.method} {ask.path.partition('?')[0]}"] += 1
            try:
                with http.stream(ask.method, ask.path, **_content(ask.body)) as response:
                    content = b"".join(self._in_time(response))  # a response that was read whole keeps it for long
            except NOT_SENT as error:
                return self._not_connected(error)
            except NO_ANSWER as error:
                return Trouble(f"no answer: {self._scrubbed(str(error)) or type(error).__name__}")
            window.learn(response.headers, slot)
            self.told |= {name: value for name, value in response.headers.items() if name.startswith(TELLING)}
            return self._judged(response, content, ask.believable, window)

    def _in_time(self, response: httpx.Response) -> Iterator[bytes]:
        """The parts of an answer; the time-out is one between two of them, so drop by drop it would never end."""
        longest = PARTS * self.timeout_seconds
        begun = self.clock.now()
        for part in response.iter_bytes():
            yield part
            if self.clock.now() - begun > longest:
                raise httpx.ReadTimeout(f"the answer was not whole after {longest:g} s")

    def _not_connected(self, error: Exception) -> Trouble:
        text = self._scrubbed(str(error)) or type(error).__name__
        certificate = "CERTIFICATE_VERIFY_FAILED" in text
        proxy = _proxy(urlsplit(self._base_url))
        through = f" through the proxy {_host(proxy)} of the environment" if proxy else ""
        hint = "set SSL_CERT_FILE to the certificates of your network" if certificate else _to_check(proxy)
        reason = f"cannot connect to {self._base_url}{through}: {text}"
        return Trouble(reason, perhaps_done=False, final=certificate, hint=hint)

    def _judged(
        self, response: httpx.Response, content: bytes, believable: Believable, window: Window
    ) -> Answer | Trouble:
        headers = {name: self._scrubbed(value) for name, value in response.headers.items()}
        if not response.is_success or self._is_sent_back(content):
            content = self._scrubbed(content.decode("utf-8", "replace")).encode()
        result = judged(Raw(response.status_code, headers, content), believable, window.interval)
        if isinstance(result, Trouble) and result.full:
            window.close_for(result.pause or window.interval)
        return result

    def _admitted(self, answer: Answer) -> Answer:
        if answer.status == 401:
            hint = f"check that {self.token_name} holds a service key that is still valid"
            raise AccessError(
                "HubSpot does not accept the token (401)", hint=hint, correlation_id=answer.correlation_id
            )
        return answer

    def _is_sent_back(self, content: bytes) -> bool:
        return len(self._token) >= SECRET_LENGTH and self._token.encode("utf-8", "surrogateescape") in content

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._token, "***") if len(self._token) >= SECRET_LENGTH else text


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, and what a success has to look like."""

    method: str
    path: str
    body: Json
    reads: bool
    believable: Believable


class _Content(TypedDict, total=False):
    content: bytes
    headers: dict[str, str]


def _content(body: Json) -> _Content:
    """JSON in ASCII, so that odd halves of signs, which HubSpot stores, go back as they came."""
    if body is None:
        return {}
    return {"content": json.dumps(body, allow_nan=False).encode(), "headers": {"content-type": "application/json"}}


def _unknown(ask: Ask, trouble: Trouble) -> UnknownOutcome:
    message = f"{ask.method} {ask.path}: {trouble.reason}; whether it was carried out is not known"
    hint = trouble.hint or "run the same command again: it looks first"
    return UnknownOutcome(message, hint=hint, correlation_id=trouble.correlation_id)


def _unavailable(ask: Ask, trouble: Trouble, tried: int, waited: float) -> UnavailableError:
    effort = "" if trouble.final else f"given up after {tried} {'try' if tried == 1 else 'tries'}, {waited:g} s waited"
    hint = "; ".join(part for part in (trouble.hint, effort) if part)
    return UnavailableError(f"{ask.path}: {trouble.reason}", hint=hint, correlation_id=trouble.correlation_id)


# --- anything that is not HubSpot ------------------------------------------------------------------------------------


class Web:
    """A way to one address: one request, one answer; what is secret in it is in no error."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        *,
        proxy: str = "",
        secrets: Sequence[str] = (),
        named: str = "",
    ) -> None:
        parts = urlsplit(base_url)
        self._named = named or f"{parts.scheme}://{parts.hostname}"
        nearby = parts.scheme == "http" and _is_loopback(urlsplit(proxy or base_url))
        if not parts.hostname or (parts.scheme != "https" and not nearby):
            hint = "use https; http is accepted for loopback only"
            raise UsageError(f"{self._named} is no address to send a secret to", hint=hint)
        self._secrets = [form for secret in secrets for form in _written(secret)]
        given = {"user-agent": f"hubspot-reconciler/{VERSION}", **(headers or {})}
        transport = httpx.HTTPTransport(proxy=proxy) if proxy else _transport(parts)
        timeout = httpx.Timeout(30.0, connect=10.0)
        self._base_url = base_url.rstrip("/")
        self._http = httpx.Client(transport=transport, headers=given, timeout=timeout)
        weakref.finalize(self, transport.close)

    def send(self, method: str, path: str = "", body: Json = None) -> Raw:
        """The answer to one request, whatever it is."""
        try:
            response = self._http.request(method, self._base_url + path, **_content(body))
        except (httpx.InvalidURL, *NO_ANSWER) as error:
            raise UnavailableError(f"{self._named} gave no answer: {self._said(error)}") from error
        headers = {name: self._scrubbed(value) for name, value in response.headers.items()}
        return Raw(response.status_code, headers, self._scrubbed(response.text).encode())

    def _said(self, error: Exception) -> str:
        return self._scrubbed(str(error)) or type(error).__name__

    def _scrubbed(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _written(secret: str) -> list[str]:
    """A secret in the ways that an error may write it, longest first: also as Python does, and without its edges."""
    forms = {secret, repr(secret)[1:-1], repr(secret.encode())[2:-1], secret.strip()}
    return sorted(filter(None, forms), key=len, reverse=True)


# --- how HubSpot is reached ------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()  # 30 ms each, so one a process
    except OSError as error:  # which names no file
        named = [f"{name}={os.environ[name]}" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
        message = (
            f"the certificates of {' and '.join(named) or 'this machine'} cannot be used: {error.strerror or error}"
        )
        raise UsageError(message, hint="SSL_CERT_FILE has to name a file of certificates in PEM form") from error


def _transport(parts: SplitResult) -> httpx.HTTPTransport:
    verify: ssl.SSLContext | bool = _ssl_context() if parts.scheme == "https" else False
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    try:
        return httpx.HTTPTransport(verify=verify, limits=limits, proxy=_proxy(parts))
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        hint = "HTTPS_PROXY, or else ALL_PROXY, has to look like http://host:port"
        raise UsageError("the proxy in the environment cannot be used", hint=hint) from error


def _proxy(parts: SplitResult) -> str | None:
    if _is_loopback(parts) or proxy_bypass(parts.hostname or ""):
        return None
    named = getproxies()
    address = named.get(parts.scheme) or named.get("all")
    return address if not address or "://" in address else f"http://{address}"


def _host(proxy: str) -> str:
    """Where a proxy is, without the password that its address may hold."""
    return urlsplit(proxy).netloc.rpartition("@")[2]


def _to_check(proxy: str | None) -> str:
    return "check network, HTTPS_PROXY and NO_PROXY" if proxy else "check network and baseUrl"


def _is_loopback(parts: SplitResult) -> bool:
    return LOOPBACK.fullmatch(parts.hostname or "") is not None


# --- the two views ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a portal, and can do nothing else."""

    _client: Client
    _http: httpx.Client = field(repr=False)

    def get(self, path: str) -> Answer:
        """The answer to one path; 403 and 404 are answers too."""
        return self._client.exchange(self._http, Ask("GET", path, None, True, an_object))

    def get_all(self, paths: Sequence[str]) -> dict[str, Answer]:
        """The answers to these paths, side by side; one that did not come is an answer that says so."""
        wanted = list(dict.fromkeys(paths))
        if len(wanted) <= 1:
            return {path: self._listed(path) for path in wanted}
        with ThreadPoolExecutor(min(self._client.connections, len(wanted)), thread_name_prefix="read") as pool:
            return dict(zip(wanted, pool.map(self._listed, wanted), strict=True))

    def _listed(self, path: str) -> Answer:
        believable = a_whole_list if is_list(path) else an_object
        try:
            return self._client.exchange(self._http, Ask("GET", path, None, True, believable))
        except UnavailableError as error:
            text = f"{error} ({error.hint})" if error.hint else str(error)
            return Answer(UNAVAILABLE, text, error.correlation_id)

    def ask(self, path: str, body: Json) -> Answer:
        """A POST that only reads: a count, a batch read, the scopes of the token."""
        return self._client.exchange(self._http, Ask("POST", path, body, True, an_object))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to a portal."""

    _client: Client
    _http: httpx.Client = field(repr=False)

    def send(self, method: str, path: str, body: Json = None) -> Answer:
        """One write: an answer, a refusal, or an outcome that nobody knows; never sent twice on its own."""
        answer = self._client.exchange(self._http, Ask(method, path, body, False, a_result(method)))
        if not answer.ok:
            request = f"{method} {path}"
            raise RequestRefused(answer.status, answer.body, request=request, correlation_id=answer.correlation_id)
        return answer
