"""The portal on a loopback port: HTTP/1.1 with kept connections, one thread each."""

import io
import re
import socket
import struct
import sys
import threading
import traceback
import uuid
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from reconciler.emulator.app import StartResponse, WsgiApp, create_app, received, refused, send
from reconciler.emulator.errors import ApiError
from reconciler.emulator.faults import DroppedError, HungError
from reconciler.emulator.store import Portal

LOOPBACK = "127.0.0.1"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class UnreadableError(Exception):
    """A request whose body cannot be told from what comes after it."""


class Listener(ThreadingHTTPServer):
    """Accepts connections for the application."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, app: WsgiApp, port: int) -> None:
        super().__init__((LOOPBACK, port), Exchange)
        self.app = app
        self.closing = threading.Event()

    def server_bind(self) -> None:
        """Binds without asking a name server who we are."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away at any time; anything else is a bug worth a trace."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Exchange(BaseHTTPRequestHandler):
    """Requests of one connection, each answered by the application in one write."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def answer(self) -> None:
        """Answers one request, or loses it as a fault demands."""
        try:
            self.wfile.write(self.respond())
        except UnreadableError as error:
            self.send_error(400, str(error))
        except HungError as hung:
            self.server.closing.wait(hung.delay)
            self.reset()
        except DroppedError:
            self.reset()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def respond(self) -> bytes:
        """The whole answer, head and body."""
        head: list[bytes] = []

        def start_response(status: str, headers: Iterable[tuple[str, str]]) -> None:
            lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
            head.append("\r\n".join(lines).encode("latin-1"))
            announced = dict(headers).get("Content-Length", "0")
            self.announced = int(announced)

        body = b"".join(self.answered(self.environ(), start_response))
        if self.command != "HEAD" and len(body) < self.announced:
            self.close_connection = True
        return head[0] + body

    def answered(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """What the application says; its bugs are a 500 to the client, and a trace to whoever started the server."""
        try:
            return self.server.app(environ, start_response)
        except (HungError, DroppedError):
            raise
        except Exception:
            traceback.print_exc()
            bug = ApiError(500, "internal error: a bug of the emulator, which its output tells more of")
            call = received({**environ, "wsgi.input": io.BytesIO()})
            return send(refused(bug, call, str(uuid.uuid4())), call, start_response)

    def environ(self) -> dict[str, Any]:
        """The request as WSGI has it."""
        body = self.body()
        path, _, query = self.path.partition("?")
        known = {
            "REQUEST_METHOD": self.command,
            "REQUEST_URI": self.path,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        return known | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}

    def body(self) -> bytes:
        """What was sent, with its length announced or in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self.chunk, b""))
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal():
            raise UnreadableError("the length of the body is no number")
        return self.whole(int(length))

    def whole(self, size: int) -> bytes:
        """So many bytes; a client that goes away before it sent them asked for nothing."""
        data = self.rfile.read(size)
        if len(data) < size:
            raise DroppedError("the client closed the connection")
        return data

    def chunk(self) -> bytes:
        """The next part of a body that comes in chunks; the empty one is the last."""
        told = self.rfile.readline(100).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", told):
            raise UnreadableError("the length of a chunk is no number")
        data = self.whole(int(told, 16))
        while self.rfile.readline(1000).strip() and not data:
            pass  # the lines after the last chunk
        return data

    def reset(self) -> None:
        """Closes the connection so that the client notices at once."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.connection.close()

    def log_message(self, *_words: Any) -> None:
        """The portal has its own log."""


class Server:
    """A portal that is being served; a context manager that closes itself."""

    def __init__(self, portal: Portal, port: int = 0) -> None:
        self.portal = portal
        self._listener = Listener(create_app(portal), port)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the portal is."""
        return f"http://{LOOPBACK}:{self._listener.server_port}"

    def wait(self) -> None:
        """Blocks until somebody interrupts or closes the server."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def close(self) -> None:
        """Stops accepting, and lets hanging answers go."""
        self._listener.closing.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
