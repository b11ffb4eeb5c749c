"""The server of the page: the files it is made of, the answers, and how both start and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route as StarletteRoute

from chainrule.web import wire
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk
from chainrule.web.guard import Guard
from chainrule.web.routes import ROUTES, Route, Values

KINDS = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
LAST_SECONDS = 2  # that answers under way have when the server ends
IDLE_HOURS = 12  # without a request or an answer, then the server ends
LOOKS_AFTER = 30  # seconds between two looks at how long it has been idle
Endpoint = Callable[[Request], Awaitable[Response]]


def serve(desk: Desk, port: int, started: Callable[[str], None], place: str = "") -> bool:
    """Serve the page at 127.0.0.1 until Ctrl-C, or until nobody has used it for `IDLE_HOURS`.

    Parameters
    ----------
    desk : Desk
    port : int
        0 lets the system choose a free one.
    started : callable
        Told the address, with the secret of this run behind its #, once the server listens.
    place : str
        The view that opens, with its settings: ``draw&photo=1``.  Default: the first view.

    Returns
    -------
    bool
        Whether it ended because nobody used it.

    Raises
    ------
    OSError
        If the port is taken.
    """
    # Named TCP, or asyncio leaves Nagle's algorithm on: an answer's body then waits for 40 ms
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()
        port = listening.getsockname()[1]
        token = secrets.token_urlsafe(32)
        guard = guarded(desk, port, token)
        idle = False

        async def end_if_idle() -> None:
            nonlocal idle
            at_work = desk.runs.at_work is not None
            if not at_work and time.monotonic() - guard.used > 3600 * IDLE_HOURS:
                idle = server.should_exit = True

        server = Server(
            desk,
            uvicorn.Config(
                guard,
                http="h11",
                ws="none",
                lifespan="off",
                log_level="error",
                server_header=False,
                timeout_graceful_shutdown=LAST_SECONDS,
                callback_notify=end_if_idle,
                timeout_notify=LOOKS_AFTER,
            ),
        )
        started(f"http://127.0.0.1:{port}/#{place and place + '&'}token={token}")
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
        return idle


class Server(uvicorn.Server):
    """A server that tells streams when it ends, so that it need not wait for their readers."""

    def __init__(self, desk: Desk, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.desk = desk

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; an answer that takes longer than the end may is cut off without a word."""
        self.desk.closing.set()
        logging.getLogger("uvicorn.error").disabled = True  # it calls each such answer an error
        await super().shutdown(sockets)


def guarded(desk: Desk, port: int, token: str) -> Guard:
    """Return the page as an ASGI app behind its guard."""
    static = page_files()
    most = {f"/api/{name}": route.most for name, route in ROUTES.items()}
    return Guard(app(desk, static), port, token, static, most)


def app(desk: Desk, static: Mapping[str, tuple[bytes, str]]) -> Starlette:
    """Return the page as an ASGI app that answers anyone: only the guard may call it."""
    routes = [
        StarletteRoute(path, _file(*content), methods=["GET"]) for path, content in static.items()
    ]
    routes += [
        StarletteRoute(f"/api/{name}", _answer(desk, route), methods=["POST"])
        for name, route in ROUTES.items()
    ]
    return Starlette(routes=routes)


def page_files() -> dict[str, tuple[bytes, str]]:
    """Return the page's files by their paths: content and type, all read at once."""
    found = {}
    folders = [("", files("chainrule") / "web" / "static")]
    while folders:
        path, folder = folders.pop()
        for entry in folder.iterdir():
            name = f"{path}/{entry.name}"
            if entry.is_dir():
                folders.append((name, entry))
            elif (suffix := entry.name.rpartition(".")[2]) in KINDS:
                found[name] = (entry.read_bytes(), KINDS[suffix])
    return {"/": found.pop("/index.html"), **found}


def _file(content: bytes, kind: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return Response(content, media_type=kind)

    return endpoint


def _answer(desk: Desk, route: Route) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            asked = Asked(wire.unpack(await request.body()))
            answer = await run_in_threadpool(route.answer, desk, asked)
        except (ValueError, MemoryError) as error:
            return PlainTextResponse(one_line(error), 400)
        except KeyboardInterrupt:  # Polars hears Ctrl-C in any thread, and the server as well
            return PlainTextResponse("the page ends", 503)
        if isinstance(answer, Mapping):
            return Response(wire.pack(answer), media_type="application/octet-stream")
        return StreamingResponse(frames(answer), media_type="application/octet-stream")

    return endpoint


async def frames(answers: AsyncIterator[Values]) -> AsyncGenerator[bytes]:
    """Yield the messages of a stream, each behind its length; an error is the last one."""
    try:
        async for values in answers:
            yield framed(values)
            await asyncio.sleep(0)  # the loop hears that the reader has gone, and ends this
    except (ValueError, MemoryError) as error:
        yield framed({"error": one_line(error)})


def framed(values: Mapping[str, Any]) -> bytes:
    """Return a message behind its length in four bytes."""
    message = wire.pack(values)
    return len(message).to_bytes(4, "little") + message


def one_line(error: Exception) -> str:
    """Return an error in one line for the page."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for this"
    return " ".join(str(error).split())
