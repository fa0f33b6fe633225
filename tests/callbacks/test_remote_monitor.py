"""RemoteMonitor: what a server gets, and what becomes of a training without one."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest

from netlet.callbacks import RemoteMonitor

pytestmark = pytest.mark.usefixtures("numpy_backend")


class Server:
    """A server on this machine that keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], str]] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                got.append((self.path, dict(self.headers), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "*")
    made = Server()
    yield made
    made.close()


def test_each_epoch_is_posted_as_a_field_of_a_form(server: Server, rows: Any, make_model: Any) -> None:
    history = make_model().fit(*rows, epochs=2, verbose=0, callbacks=[RemoteMonitor(server.root)])
    assert [path for path, _, _ in server.got] == ["/publish/epoch/end/"] * 2
    for epoch, (_, headers, body) in enumerate(server.got):
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        form = urllib.parse.parse_qs(body)
        assert list(form) == ["data"]
        logs = {name: values[epoch] for name, values in history.history.items()}
        assert json.loads(form["data"][0]) == {"epoch": epoch, **logs}


def test_or_as_the_body_with_headers_of_ones_own(server: Server) -> None:
    monitor = RemoteMonitor(server.root, path="/here", headers={"X-Run": "7"}, send_as_json=True)
    logs = {"loss": np.float32(0.5), "one": np.arange(1, 2), "matrix": np.array([[1, 2], [3, 4]]), "text": "a"}
    monitor.on_epoch_end(3, logs)
    [(path, headers, body)] = server.got
    assert (path, headers["X-Run"], headers["Content-Type"]) == ("/here", "7", "application/json")
    assert json.loads(body) == {"epoch": 3, "loss": 0.5, "one": 1, "matrix": [[1, 2], [3, 4]], "text": "a"}
    assert isinstance(logs["loss"], np.float32)


def test_a_server_that_is_not_there_is_a_warning(server: Server, rows: Any, make_model: Any) -> None:
    monitor = RemoteMonitor(server.root)
    server._server.socket.close()  # nobody listens at its address any more
    model = make_model()
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at http://127.0.0.1"):
        model.fit(*rows, epochs=1, verbose=0, callbacks=[monitor])
    assert model.history.epoch == [0]
