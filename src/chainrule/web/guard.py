"""Who may ask the page's server for what: one guard around the whole app, which refuses by default.

A server on the loopback address is open to every page that the user's browser shows: a foreign page
may send requests to it, and a name that is bound to 127.0.0.1 anew makes them look like the page's
own.  So the guard compares Host, Origin and Sec-Fetch-Site with what the page itself sends, and
asks for a secret of this run.  It travels in a header: a cookie would be sent to every other server
on this machine, too.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any, Self

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN = b"x-chainrule-token"  # the header with the run's secret
METHODS = ("GET", "HEAD", "POST")
READ_TIMEOUT = 30.0  # seconds that a body may take to arrive
AT_WORK = 8  # requests whose bodies are read and answers computed at once
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Refused(Exception):
    """A request that is not answered: a status and one line."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Guard:
    """An ASGI app that lets through to another one only what the page itself asks for.

    Parameters
    ----------
    app : ASGI app
    port : int
        Where the server listens, at 127.0.0.1.
    token : str
        The secret of this run.
    public : collection of str
        Paths that need no secret: the files of the page, which hold no data.
    most : mapping of str to int
        For each path that takes a body, the most bytes that it may have.

    Attributes
    ----------
    used : float
        When `time.monotonic` last saw a part of an answer leave.
    """

    def __init__(
        self, app: App, port: int, token: str, public: Collection[str], most: Mapping[str, int]
    ) -> None:
        hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
        self.hosts = {host.encode() for host in hosts}
        self.origins = {f"http://{host}".encode() for host in hosts}
        self.app, self.token, self.public, self.most = app, token.encode(), public, most
        self.at_work = 0
        self.used = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", ()) if pair[0].title() not in OURS]
                ours = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*kept, *ours]
            self.used = time.monotonic()
            await send(message)

        try:
            length = self._checked(scope)
            if not length:
                await self.app(scope, _replayed(b"", receive), send_guarded)
                return
            if self.at_work >= AT_WORK:
                raise Refused(503, "the page is busy: try again")
            with _Work(self) as work:

                async def send_worked(message: Message) -> None:
                    work.end()  # a stream may then last as long as its reader wants
                    await send_guarded(message)

                body = await _body(receive, length)
                await self.app(scope, _replayed(body, receive), send_worked)
        except Refused as refused:
            await _refuse(refused, send_guarded)

    def _checked(self, scope: Scope) -> int:
        """Return the length of a request's body, or raise Refused."""
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        path, method = scope["path"], scope["method"]
        host, origin, site = (
            headers.get(name, []) for name in (b"host", b"origin", b"sec-fetch-site")
        )
        if len(host) != 1 or host[0] not in self.hosts:
            raise Refused(
                403, "this server answers to 127.0.0.1 alone: open the address it printed"
            )
        trusted = {b"same-origin", b"none"}
        if (path, method, headers.get(b"sec-fetch-mode")) == ("/", "GET", [b"navigate"]):
            trusted = {*trusted, b"cross-site", b"same-site"}  # a link that leads to the page
        if not set(origin) <= self.origins or not set(site) <= trusted:
            raise Refused(403, "another page asked for this: open the address that was printed")
        if method not in METHODS:
            raise Refused(405, "only GET, HEAD and POST are answered")
        given = headers.get(TOKEN, [])
        if path not in self.public and not (
            len(given) == 1 and hmac.compare_digest(given[0], self.token)
        ):
            raise Refused(403, "the page needs the secret of this run: open the address it printed")
        lengths = headers.get(b"content-length", [])
        if b"transfer-encoding" in headers or (method == "POST" and not lengths):
            raise Refused(411, "a body needs its Content-Length")
        if len(lengths) > 1 or not all(text.isdigit() for text in lengths):
            raise Refused(400, "Content-Length must be one whole number")
        length = int(lengths[0][:20]) if lengths else 0
        most = self.most.get(path, 0) if method == "POST" else 0
        if length > most:
            raise Refused(413, f"this is too large: {most:,} bytes are taken here at most")
        return length


class _Work:
    """One request at work: from its first byte until its answer begins."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.ended = guard, False

    def __enter__(self) -> Self:
        self.guard.at_work += 1
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def end(self) -> None:
        if not self.ended:
            self.guard.at_work -= 1
        self.ended = True


OURS = {name.title().encode() for name in HEADERS}


async def _body(receive: Receive, length: int) -> bytes:
    """Return a body that has as many bytes as it said, or raise Refused."""
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the connection was closed")
                body += message.get("body", b"")
                if len(body) > length:
                    raise Refused(413, "the body is longer than it said")
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refused(408, f"the body took longer than {READ_TIMEOUT:g} seconds") from None
    if len(body) != length:
        raise Refused(400, "the body is shorter than it said")
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read before, then what comes after it."""
    rest = [body]

    async def again() -> Message:
        if rest:
            return {"type": "http.request", "body": rest.pop(), "more_body": False}
        return await receive()

    return again


async def _refuse(refused: Refused, send: Send) -> None:
    text = f"{refused}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    headers.append((b"content-length", str(len(text)).encode()))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
