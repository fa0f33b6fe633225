"""What holds for every test: the setting that pytest reports, and one seed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from netlet.backends import available_backends

os.environ.setdefault("MPLBACKEND", "Agg")  # before anyone imports matplotlib: tests open no windows

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job ignores Ctrl-C; tests send it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    """Says in the report's head what Netlet runs on and which targets may not be skipped."""
    from netlet.runtime import runtime_info

    info = runtime_info()
    isa, threads = info["isa"]["in_use"], info["threads"]["default"]
    return [
        f"netlet: {info['version']}, backend {info['backend']}, isa {isa}, {threads} threads",
        *(f"netlet: no {name}: {why}" for name, why in info["backends"].items() if why),
        f"netlet: NETLET_REQUIRE={os.environ.get('NETLET_REQUIRE', '')}",
    ]


@pytest.fixture(autouse=True)
def one_seed() -> Iterator[None]:
    """Every test starts from the same seed, whichever ran before it."""
    import netlet

    netlet.set_random_seed(20240229)
    yield


@pytest.fixture(params=available_backends())
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test runs once on each backend that is available."""
    monkeypatch.setenv("NETLET_BACKEND", request.param)
    return str(request.param)
