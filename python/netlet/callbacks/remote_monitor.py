"""``RemoteMonitor``: the logs of each epoch, sent to a server by the package requests."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from netlet.callbacks.callback import Callback, Logs


class RemoteMonitor(Callback):
    """Posts the logs of each epoch, and the epoch's number as ``epoch``, to a server, as JSON.

    A server that is not there, or breaks off, is a warning: training goes on. It waits for the answer as long as that
    takes, whatever the answer is.

    Args:
        root: address of the server; default "http://localhost:9000".
        path: where on the server, put behind ``root``; default "/publish/epoch/end/".
        field: name of the form's field that carries the JSON, default "data"; without effect if ``send_as_json``.
        headers: HTTP headers to send along; None for those of requests alone.
        send_as_json: send the JSON as the body, of type ``application/json``, and not as a field of a form.

    Raises: ImportError if requests is missing (``pip install 'netlet[remote]'``). At the end of an epoch, TypeError if
        the logs hold what JSON cannot, as a metric of one's own may return.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        try:
            import requests  # noqa: F401 - to fail here and not after an epoch
        except ImportError as error:
            raise ImportError("RemoteMonitor needs the package requests: pip install 'netlet[remote]'") from error
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        import requests

        sent = {"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}}
        address = self.root + self.path
        try:
            if self.send_as_json:
                requests.post(address, json=sent, headers=self.headers)
            else:
                requests.post(address, {self.field: json.dumps(sent)}, headers=self.headers)
        except requests.exceptions.RequestException as error:
            warnings.warn(
                f"Could not reach RemoteMonitor root server at {self.root}: {type(error).__name__}", stacklevel=2
            )


def _plain(value: Any) -> Any:
    """A number of NumPy's as Python's, an array as a number if it holds one, else as lists."""
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    return value.item() if value.size == 1 else value.tolist()
