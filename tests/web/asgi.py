"""What the tests of the page share: a desk, and a caller of ASGI apps that needs no network."""

import asyncio

from chainrule.handwriting.reading import shipped_model
from chainrule.web import wire
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk, Opened

PORT, SECRET = 8765, "a-secret"
TRUSTED = {"host": f"127.0.0.1:{PORT}", "x-chainrule-token": SECRET}


def desk():
    return Desk(Opened(shipped_model(), "shipped digits"))


def ask(function, at, **values):
    """Call an answer as the server does: through bytes there and back."""
    answer = function(at, Asked(wire.unpack(wire.pack(values))))
    return wire.unpack(wire.pack(answer))


def told(stream):
    """Return all messages of a stream."""

    async def listened():
        return [message async for message in stream]

    return asyncio.run(listened())


def call(app, method="GET", path="/", headers=None, body=b"", kind="http", pieces=None):
    """Return status, headers and body of what an ASGI app answers."""
    sent = []
    headers = TRUSTED if headers is None else headers
    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": kind, "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "scheme": "http", "http_version": "1.1", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
    }  # fmt: skip
    waiting = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces or [body]
    ]
    waiting[-1]["more_body"] = False

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    if sent[0]["type"] != "http.response.start":
        return sent[0]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


def posted(length, **more):
    return TRUSTED | {"content-length": str(length)} | more
