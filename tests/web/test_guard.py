"""The guard before every route: foreign pages, foreign names, bodies that lie."""

import pytest

pytest.importorskip("starlette", reason="the page needs chainrule[page]")

from asgi import PORT, SECRET, TRUSTED, call, desk, posted

from chainrule.web import guard as guards
from chainrule.web.guard import HEADERS, Guard
from chainrule.web.routes import ROUTES
from chainrule.web.server import guarded

PAGE = guarded(desk(), PORT, SECRET)
FOUND = [(method, route.path) for route in PAGE.app.routes for method in sorted(route.methods)]
OWN = f"http://127.0.0.1:{PORT}"

# what is sent beside or in place of what the page sends; None leaves it out
REFUSED = {
    "rebound name": {"host": f"evil.example:{PORT}"},
    "no port": {"host": "127.0.0.1"},
    "another port": {"host": f"127.0.0.1:{PORT + 1}"},
    "trailing dot": {"host": f"localhost.:{PORT}"},
    "upper case": {"host": f"LOCALHOST:{PORT}"},
    "user in the name": {"host": f"a@127.0.0.1:{PORT}"},
    "another loopback name": {"host": f"127.0.0.2:{PORT}"},
    "0.0.0.0": {"host": f"0.0.0.0:{PORT}"},
    "no host": {"host": None},
    "null origin": {"origin": "null"},
    "https origin": {"origin": f"https://127.0.0.1:{PORT}"},
    "foreign origin": {"origin": "http://evil.example"},
    "origin of another port": {"origin": "http://127.0.0.1:80"},
    "origin that begins alike": {"origin": f"{OWN}.evil.example"},
    "empty origin": {"origin": ""},
    "cross site": {"sec-fetch-site": "cross-site"},
    "same site, another port": {"sec-fetch-site": "same-site"},
    "picture": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    "two modes": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate, no-cors"},
}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
NO_SECRET = {
    "none": {"x-chainrule-token": None},
    "empty": {"x-chainrule-token": ""},
    "wrong": {"x-chainrule-token": SECRET + "x"},
    "its beginning": {"x-chainrule-token": SECRET[:-1]},
    "in a cookie": {"x-chainrule-token": None, "cookie": f"x-chainrule-token={SECRET}"},
    "as a bearer": {"x-chainrule-token": None, "authorization": f"Bearer {SECRET}"},
}
LET_IN = {
    "by number": {},
    "by name": {"host": f"localhost:{PORT}"},
    "IPv6": {"host": f"[::1]:{PORT}"},
    "own origin": {"origin": OWN, "sec-fetch-site": "same-origin"},
    "typed address": {"sec-fetch-site": "none"},
}


def headers(changes):
    merged = TRUSTED | {"content-length": "0"} | changes
    return {name: value for name, value in merged.items() if value is not None}


def test_every_route_is_found():
    assert {path for _, path in FOUND} >= {"/", "/main.js", *(f"/api/{name}" for name in ROUTES)}
    assert isinstance(PAGE, Guard)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize(("method", "path"), FOUND)
def test_what_another_page_may_send_is_refused_at_every_route(method, path, name):
    status, sent, body = call(PAGE, method, path, headers(REFUSED[name]))
    assert status == 403
    assert body.count(b"\n") == 1
    assert sent[b"content-security-policy"].startswith(b"default-src 'none'")


@pytest.mark.parametrize(("method", "path"), FOUND)
def test_a_link_elsewhere_leads_to_the_page_and_to_nothing_else(method, path):
    status, _, _ = call(PAGE, method, path, headers(LINK | {"x-chainrule-token": None}))
    assert status == (200 if (method, path) == ("GET", "/") else 403)
    foreign = headers(LINK | {"origin": "http://evil.example"})
    assert call(PAGE, method, path, foreign)[0] == 403


@pytest.mark.parametrize("name", NO_SECRET)
@pytest.mark.parametrize(("method", "path"), FOUND)
def test_without_the_secret_only_the_files_of_the_page_are_given(method, path, name):
    status, _, body = call(PAGE, method, path, headers(NO_SECRET[name]))
    assert status == (403 if path.startswith("/api/") else 200)
    assert SECRET.encode() not in body


@pytest.mark.parametrize("path", ["/api/", "/api/none", "/..", "/static/../wire.py", "/index.html"])
def test_a_path_that_is_no_file_of_the_page_needs_the_secret(path):
    assert call(PAGE, "GET", path, headers({"x-chainrule-token": None}))[0] == 403
    assert call(PAGE, "GET", path, headers({}))[0] == 404


@pytest.mark.parametrize("name", LET_IN)
@pytest.mark.parametrize(("method", "path"), FOUND)
def test_what_the_page_sends_comes_through(method, path, name):
    status, sent, _ = call(PAGE, method, path, headers(LET_IN[name]))
    assert status == (400 if path.startswith("/api/") else 200)  # an empty body is no message
    for header, value in HEADERS.items():
        assert sent[header.lower().encode()] == value.encode()
    assert not any(header.startswith(b"access-control") for header in sent)
    assert b"set-cookie" not in sent


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"])
@pytest.mark.parametrize("path", sorted({path for _, path in FOUND}))
def test_other_methods_are_refused_at_every_route(method, path):
    assert call(PAGE, method, path, headers({}))[0] == 405


def test_two_hosts_or_two_secrets_are_refused():
    twice = [*headers({}).items(), ("host", TRUSTED["host"])]
    assert call(PAGE, "GET", "/", twice)[0] == 403
    twice = [*headers({}).items(), ("x-chainrule-token", SECRET)]
    assert call(PAGE, "POST", "/api/network", twice)[0] == 403


def test_a_websocket_is_closed():
    assert call(PAGE, kind="websocket") == {"type": "websocket.close", "code": 1008}


LARGEST = ROUTES["network"].most


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"headers": TRUSTED}, 411),
        ({"headers": TRUSTED | {"transfer-encoding": "chunked"}}, 411),
        ({"headers": posted(3) | {"transfer-encoding": "chunked"}, "body": b"abc"}, 411),
        ({"headers": posted("-1")}, 400),
        ({"headers": posted("+1")}, 400),
        ({"headers": posted("1_0")}, 400),
        ({"headers": posted("9" * 5000)}, 413),
        ({"headers": [*posted(3).items(), ("content-length", "3")]}, 400),
        ({"headers": posted(LARGEST + 1)}, 413),
        ({"headers": posted(3), "body": b"abcd"}, 413),
        ({"headers": posted(3), "body": b"ab"}, 400),
        ({"headers": posted(9), "pieces": [b"abc", b"def", b"ghij"]}, 413),
        ({"headers": posted(3), "body": b"abc"}, 400),
    ],
)
def test_a_body_that_is_too_large_or_lies_is_refused(sent, status):
    answered, _, body = call(PAGE, "POST", "/api/network", **sent)
    assert answered == status
    assert body.count(b"\n") <= 1
    assert b"Traceback" not in body


def test_a_file_of_the_page_takes_no_body():
    assert call(PAGE, "GET", "/", posted(1), b"a")[0] == 413
    assert call(PAGE, "POST", "/", posted(1), b"a")[0] == 413


def test_a_body_that_never_arrives_is_given_up(monkeypatch):
    import asyncio

    monkeypatch.setattr(guards, "READ_TIMEOUT", 0.01)

    async def receive():
        await asyncio.sleep(60)

    with pytest.raises(guards.Refused, match="the body took longer"):
        asyncio.run(guards._body(receive, 3))


def test_more_bodies_than_can_be_worked_on_are_refused_and_none_is_forgotten():
    page = guarded(desk(), PORT, SECRET)
    page.at_work = guards.AT_WORK
    assert call(page, "POST", "/api/network", posted(3), b"abc")[0] == 503
    page.at_work = guards.AT_WORK - 1
    assert call(page, "POST", "/api/network", posted(3), b"ab")[0] == 400
    assert page.at_work == guards.AT_WORK - 1
