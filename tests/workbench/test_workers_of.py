"""What `--cluster` tells: of Dask's many lines the few that a user can use."""

import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from chainrule.workbench import on_cluster
from chainrule.workbench.on_cluster import workers_of

pytest.importorskip("distributed", reason="needs chainrule[cluster]")


class Notes(list):
    """A Telling that keeps what it is told."""

    def note(self, text, **more):
        self.append(text)


def complain():
    for name in ("distributed.worker", "distributed.client", "tornado.application", "asyncio"):
        logging.getLogger(name).critical("many lines")


def test_what_dask_logs_here_and_in_its_processes_is_not_shown(capfd):
    with workers_of("local:1", Notes()) as workers:
        complain()
        workers.client.run(complain)
    assert "many lines" not in capfd.readouterr().err


def test_others_log_afterwards_as_before(capfd):
    logging.disable(logging.DEBUG)
    try:
        with pytest.raises(ZeroDivisionError), on_cluster._quiet():
            raise ZeroDivisionError
        assert logging.root.manager.disable == logging.DEBUG
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("status", "page", "served"),
    [
        (200, b"<title>Dask: Status</title>", True),
        (200, b"<p>Dask needs bokeh>=3.1.0 for the dashboard.</p>", False),
        (404, b"", False),
    ],
)
def test_a_dashboard_is_named_where_there_is_one(status, page, served):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *said): ...

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        address = f"http://127.0.0.1:{server.server_port}/status"
        assert on_cluster._is_served(address) == served
        answering.join()
    assert not on_cluster._is_served(address)
