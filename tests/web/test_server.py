"""The server as a process: it starts, answers over the network, streams, and ends by Ctrl-C."""

import http.client
import posixpath
import re
import socket
import threading
import urllib.request
from contextlib import ExitStack, closing

import conftest
import numpy as np
import pytest

pytest.importorskip("starlette", reason="the page needs chainrule[page]")

from asgi import PORT, SECRET, call, desk, posted
from typer.testing import CliRunner
from uvicorn.protocols.http.h11_impl import H11Protocol

from chainrule import model_file
from chainrule.commands import looking
from chainrule.commands.app import app
from chainrule.handwriting.reading import shipped_model
from chainrule.web import routes, server, wire
from chainrule.web.guard import Guard
from chainrule.web.routes import Route
from chainrule.web.server import guarded, page_files


def post(running, name, message, **headers):
    port, token = running
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", f"/api/{name}", message, {"X-Chainrule-Token": token} | headers)
        response = connection.getresponse()
        return response.status, response.read()


def test_the_page_and_an_answer_come_over_the_network(running):
    port, _ = running
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.status == 200
        assert b'<script type="module" src="/main.js">' in response.read()
    status, body = post(running, "network", wire.pack({}))
    assert status == 200
    assert wire.unpack(body)["layers"] == [784, 400, 100, 11]


def test_a_wrong_question_is_one_line_and_the_server_lives(running):
    for name, values, line in [
        ("ink", {}, b"ink must be a picture"),
        ("open", {"file": np.zeros(9, np.uint8), "name": "a.bin"}, b"a.bin: not a model"),
        ("unit", {"l": 1e9}, b"x must be an array"),
    ]:
        status, body = post(running, name, wire.pack(values))
        assert status == 400
        assert body.startswith(line)
        assert b"\n" not in body
        assert b"Traceback" not in body
    assert post(running, "network", b"junk")[0] == 400
    assert post(running, "network", wire.pack({}))[0] == 200


def test_connections_that_ask_for_nothing_keep_nobody_out(running):
    with ExitStack() as idle:
        for _ in range(300):
            idle.enter_context(socket.create_connection(("127.0.0.1", running[0]), timeout=60))
        assert post(running, "network", wire.pack({}))[0] == 200


def test_it_listens_on_the_loopback_address_alone(running):
    port, _ = running
    connection = http.client.HTTPConnection("127.0.0.2", port, timeout=5)
    with pytest.raises(OSError, match=r"refused|unreachable"):
        connection.connect()


def streamed(monkeypatch, answer):
    monkeypatch.setitem(routes.ROUTES, "count", Route(answer))
    message = wire.pack({})
    page = guarded(desk(), PORT, SECRET)
    status, _, body = call(page, "POST", "/api/count", posted(len(message)), message)
    assert status == 200
    found = []
    while body:
        n = int.from_bytes(body[:4], "little")
        found.append(wire.unpack(body[4 : 4 + n]))
        body = body[4 + n :]
    return found


def test_a_stream_is_one_message_after_another(monkeypatch):
    async def count(at, asked):
        for i in range(3):
            yield {"i": i}

    assert streamed(monkeypatch, count) == [{"i": 0}, {"i": 1}, {"i": 2}]


def test_a_stream_that_has_begun_keeps_no_other_request_waiting(monkeypatch):
    seen = []

    async def count(at, asked):
        yield {}
        yield {"at work": seen.append(page.at_work)}

    monkeypatch.setitem(routes.ROUTES, "count", Route(count))
    page = guarded(desk(), PORT, SECRET)
    message = wire.pack({})
    assert call(page, "POST", "/api/count", posted(len(message)), message)[0] == 200
    assert seen == [0]
    assert page.at_work == 0


def test_a_stream_whose_reader_has_gone_says_nothing(monkeypatch, caplog):
    async def many(at, asked):
        for _ in range(2000):
            yield {"numbers": np.zeros(1000)}

    def leave(address):
        port, token = re.fullmatch(r"http://127.0.0.1:(\d+)/#token=(\S+)", address).groups()
        connection = http.client.HTTPConnection("127.0.0.1", int(port))
        connection.request("POST", "/api/many", wire.pack({}), {"X-Chainrule-Token": token})
        connection.sock.recv(100)
        # Data that are not read: the connection is reset
        connection.close()
        monkeypatch.setattr(server, "IDLE_HOURS", 0)

    monkeypatch.setitem(routes.ROUTES, "many", Route(many))
    monkeypatch.setattr(server, "LOOKS_AFTER", 0)
    server.serve(desk(), 0, lambda address: threading.Thread(target=leave, args=[address]).start())
    assert caplog.text == ""


def test_a_library_that_hears_ctrl_c_in_its_thread_ends_no_page(monkeypatch):
    def interrupted(at, asked):
        raise KeyboardInterrupt  # as Polars does while it reads

    monkeypatch.setitem(routes.ROUTES, "read", Route(interrupted))
    message = wire.pack({})
    answer = call(guarded(desk(), PORT, SECRET), "POST", "/api/read", posted(len(message)), message)
    assert answer[0] == 503


def test_an_error_within_a_stream_is_its_last_message(monkeypatch):
    async def fails(at, asked):
        yield {"i": 0}
        raise ValueError("this\nwent wrong")

    assert streamed(monkeypatch, fails) == [{"i": 0}, {"error": "this went wrong"}]


def test_the_files_of_the_page_ask_for_nothing_from_elsewhere():
    files = {path: content.decode() for path, (content, _) in page_files().items()}
    assert {"/", "/main.js", "/style.css", "/draw.js"} <= set(files)
    for path, text in files.items():
        said = "" if path.startswith("/vendor/") else text  # which has addresses in its comments
        assert not re.findall(r"https?://(?!www\.w3\.org/)", said), path
        assert "innerHTML" not in text, path
        if path.endswith(".js"):
            for call in text.split("fetch(")[1:]:
                assert '"X-Chainrule-Token": ' in call[:200], path
            assert not re.findall(r"XMLHttpRequest|WebSocket|EventSource|sendBeacon", text), path
            imported = r'^import [^"]*"([^"]+)"|^export [^"]*from "([^"]+)"|import\("([^"]+)"'
            for module in map("".join, re.findall(imported, text, re.MULTILINE)):
                assert posixpath.normpath(f"{path}/../{module}") in files, (
                    f"{path} imports {module}"
                )
    assert not re.findall(r"\sstyle=|<script>|\son\w+=", files["/"])


def test_without_its_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(looking, "find_spec", lambda name: None)
    found = CliRunner().invoke(app, ["look"])
    assert found.exit_code == 2
    assert found.stderr == (
        "chainrule: the page needs a server: type pip install 'chainrule[page]'\n"
    )


def test_a_model_that_reads_no_digits_is_refused(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    found = CliRunner().invoke(app, ["look", str(tmp_path / "a.safetensors")])
    assert found.exit_code == 4
    assert "not a model that can be used" in found.stderr


def test_a_port_that_is_taken_is_told(running):
    found = CliRunner().invoke(app, ["look", "--no-browser", "--port", str(running[0])])
    assert found.exit_code == 2
    assert "cannot be listened to (Address already in use)" in found.stderr


def served(monkeypatch, *what):
    """Look at something while no server runs; return the desk and the place that it opens."""
    found = []
    monkeypatch.setattr(server, "serve", lambda *given: found.append(given))
    result = CliRunner().invoke(app, ["look", *map(str, what)])
    assert result.exit_code == 0, result.stderr
    at, _, _, place = found[0]
    return at, place


def test_each_kind_of_what_is_given_opens_its_view(monkeypatch, sheet, tmp_path):
    at, place = served(monkeypatch)
    assert (at.opened.name, place) == ("shipped digits", "")
    at, place = served(monkeypatch, sheet)
    assert place == "draw&photo=1"
    assert len(at.photos[1].digits) == 10
    model_file.save(tmp_path / "mine.safetensors", shipped_model())
    at, place = served(monkeypatch, tmp_path / "mine.safetensors")
    assert (at.opened.name, place) == ("mine.safetensors", "draw")
    assert served(monkeypatch, "moons")[1] == "train&data=moons"
    (tmp_path / "flowers.csv").write_text("a,b,kind\n" + "1,2,red\n3,4,blue\n" * 20)
    at, place = served(monkeypatch, tmp_path / "flowers.csv")
    assert place == "train&table=1"
    assert at.problems.problem({"table": 1}).name == "flowers.csv"
    (tmp_path / "gaps.csv").write_text("a,b,kind\n" + "1,2,red\n3,,blue\n" * 20)
    assert served(monkeypatch, tmp_path / "gaps.csv")[1] == "train&table=1"  # the page can mend it
    for name, what in [("cost.py", "cost.py:cost"), ("f.m", "f.m")]:
        (tmp_path / name).write_text("cost = 0")
        at, place = served(monkeypatch, tmp_path / what)
        assert (at.own_code.path, place) == (tmp_path / name, "check")
        assert at.own_code.command[-3:] == ("check-gradient", str(tmp_path / what), "--json")


@pytest.mark.parametrize(
    ("what", "code", "line"),
    [
        ("no.py:cost", 3, "no.py: no such file"),
        ("a.py", 2, "a.py:cost"),
        ("a.py:nofn", 2, "a.py: has no function nofn; it has none"),
        ("no.m", 3, "no such file"),
    ],
)
def test_own_code_that_is_none_is_told_before_the_page_opens(tmp_path, what, code, line):
    (tmp_path / "a.py").write_text("")
    found = CliRunner().invoke(app, ["look", str(tmp_path / what)])
    assert found.exit_code == code
    assert line in found.stderr


def test_an_empty_name_is_told_before_the_page_opens():
    found = CliRunner().invoke(app, ["look", ""])
    assert found.exit_code == 3
    assert "the name of the data is empty: name a file" in found.stderr


def test_what_cannot_be_read_is_told_before_the_page_opens(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"nothing")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "paper.csv").write_bytes(b"%PDF-1.4\n")
    for name, line in [
        ("cat.png", "cat.png: not an image"),
        ("dog.jpeg", "dog.jpeg: there is no such file"),
        ("empty.csv", "empty.csv: "),
        ("digit", "digit: "),
        ("", "it is a folder: name a file in it"),
        ("paper.csv", "paper.csv: it is a PDF, no table"),
    ]:
        found = CliRunner().invoke(app, ["look", str(tmp_path / name)])
        assert found.exit_code == 3
        assert line in found.stderr


def test_the_secret_is_on_no_command_line(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("WSL_DISTRO_NAME", raising=False)
    address = "http://127.0.0.1:1/#draw&token=A1"
    with looking.leading_to(address) as opened:
        [file] = tmp_path.iterdir()
        assert opened == file.as_uri()
        assert "A1" not in opened
        assert file.stat().st_mode & 0o777 == 0o600
        assert not file.name.startswith(".")  # browsers in a sandbox see no hidden file
        assert "url=http://127.0.0.1:1/#draw&amp;token=A1" in file.read_text()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("WSL_DISTRO_NAME", "Debian")
    with looking.leading_to(address) as opened:
        assert opened == address


def test_a_page_that_nobody_uses_ends_and_says_so(monkeypatch):
    monkeypatch.setattr(server, "LOOKS_AFTER", 0)
    monkeypatch.setattr(server, "IDLE_HOURS", 0)
    found = CliRunner().invoke(app, ["look", "--no-browser"])
    assert found.exit_code == 0
    assert found.stdout.splitlines()[-1] == (
        "chainrule look: nobody used the page for 0 hours, so it ended."
    )


def test_an_answer_s_body_does_not_wait_for_its_head(monkeypatch):
    made = H11Protocol.connection_made
    at_once = []

    def connection_made(self, transport):
        connection = transport.get_extra_info("socket")
        at_once.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, transport)

    def look(address):
        with urllib.request.urlopen(address.partition("#")[0]):
            monkeypatch.setattr(server, "IDLE_HOURS", 0)

    monkeypatch.setattr(H11Protocol, "connection_made", connection_made)
    monkeypatch.setattr(server, "LOOKS_AFTER", 0)
    server.serve(desk(), 0, lambda address: threading.Thread(target=look, args=[address]).start())
    assert at_once == [1]


def test_ctrl_c_ends_a_training_and_says_what_was_not_saved():
    with conftest.looking() as (process, *running):
        settings = {"data": "digits", "hidden": [300, 200], "optimizer": "adam", "max_iter": 10**6}
        status, body = post(running, "train", wire.pack({"settings": settings}))
        assert (status, wire.unpack(body)) == (200, {"runs": [1]})
        for body in iter(lambda: post(running, "history", wire.pack({"run": 1}))[1], None):
            if len(wire.unpack(body).get("J", ())) > 2:
                break
    assert re.fullmatch(
        r"not saved: run 1 \(digits, 64-300-200-10, adam, [\d,]+ iterations\)\n", process.said
    )


def test_a_stream_that_is_listened_to_does_not_hold_the_end_up():
    with conftest.looking() as (process, port, token):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/api/events", wire.pack({}), {"X-Chainrule-Token": token})
        assert connection.getresponse().status == 200
    connection.close()
    assert process.said == ""


# Answers that take for ever: a message, and a stream of work in a thread of its own
FOR_EVER = """
import time
from chainrule.web.routes import ROUTES, Route
from chainrule.web.working import worked

def answer(*given):
    time.sleep(1000)

def work(tell):
    tell({})
    time.sleep(1000)

ROUTES |= {"answer": Route(answer), "work": Route(lambda *_: worked(work))}
"""


@pytest.mark.parametrize("names", [["answer"], ["work"] * 5, ["learn"]])
def test_answers_that_take_too_long_are_cut_off_in_silence(names):
    messages = {"learn": {"x": np.eye(28, dtype=np.float32).ravel(), "y": 3}}
    with ExitStack() as open_until_then, conftest.looking(first=FOR_EVER) as (process, port, token):
        for name in names:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            open_until_then.enter_context(closing(connection))
            message = wire.pack(messages.get(name, {}))
            connection.request("POST", f"/api/{name}", message, {"X-Chainrule-Token": token})
            if name != "answer":
                response = connection.getresponse()
                assert response.status == 200
                assert len(response.read(4)) == 4
        assert post((port, token), "network", wire.pack({}))[0] == 200
    assert process.said == ""


def test_the_guard_stands_before_the_app():
    assert isinstance(guarded(desk(), PORT, SECRET), Guard)
