"""Options of the benchmarks, and what they put into pytest-benchmark's report."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from benchmarks.cases import CASES, SWEEPS, Case
from benchmarks.contest import Contest, Entry
from benchmarks.contestants import ALL, Contestant, before, chosen


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("netlet benchmarks")
    group.addoption(
        "--case",
        metavar="NAMES",
        help="the cases to run, by name, by kind (training, inference, product) or by sweep (training_width, ...), "
        "separated by commas; default: all but slow ones",
    )
    group.addoption("--peers", metavar="NAMES", help="the peers beside Netlet, by entry or library; default: all")
    group.addoption(
        "--against",
        metavar="PATH",
        help="the folder of another Netlet, as in PYTHONPATH, to take turns with this one",
    )
    group.addoption(
        "--op", metavar="NAMES", help="the ops to run, by name, instead of cases; default: none; all: every op"
    )
    group.addoption("--slow", action="store_true", help="run the slow cases, too")
    group.addoption("--smoke", action="store_true", help="a few cases with short turns, in under a minute")
    group.addoption("--rounds", type=int, help="turns that each contestant gets in each case; default 7, smoke 3")
    group.addoption("--turn", type=float, metavar="SECONDS", help="length of a turn; default 0.1, smoke 0.01")


# Taken before anything runs: pytest-benchmark asks at the end, when the load is the benchmarks' own.
_MACHINE = pytest.StashKey[dict[str, Any]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_MACHINE] = machine.describe()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish() -> Generator[None]:
    """Where every contestant failed, their messages are the last word, not that there is nothing to save."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Not saving anything")
        return (yield)


def _names(config: pytest.Config, option: str) -> list[str] | None:
    given = config.getoption(option)
    return [name for name in given.split(",") if name] if given is not None else None


def _cases(config: pytest.Config) -> list[Case]:
    names = _names(config, "--case")
    if names is not None:
        wanted = [case for name in names for case in _named(name, slow=config.getoption("--slow"))]
        return list(dict.fromkeys(wanted))
    if config.getoption("--smoke"):
        return [case for case in CASES.values() if case.smoke]
    return [case for case in CASES.values() if not case.slow or config.getoption("--slow")]


def _named(name: str, slow: bool) -> list[Case]:
    """One case, all cases of a kind (without the points that only sweeps have) or all points of a sweep."""
    if name in CASES:
        return [CASES[name]]
    kinds = [case for case in CASES.values() if case.kind == name and not case.sweep and (slow or not case.slow)]
    points = [CASES[case] for sweep in SWEEPS if sweep.name == name for _, case in sweep.points]
    if not kinds and not points:
        known = [*CASES, *dict.fromkeys(case.kind for case in CASES.values()), *(sweep.name for sweep in SWEEPS)]
        raise pytest.UsageError(f"no case is called {name!r}; expected one of {', '.join(known)}")
    return kinds or points


def _contestants(config: pytest.Config) -> list[Contestant]:
    names = _names(config, "--peers")
    if names is None and config.getoption("--smoke"):
        return [contestant for contestant in ALL if contestant.smoke]
    against = config.getoption("--against")
    try:
        return chosen(names) + ([] if against is None else before(Path(against)))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ops are run where --op asks for them, and cases then only where --case does, too."""
    ops = config.getoption("--op") is not None
    if collection_path.name == "test_ops.py" and not ops:
        return True
    if collection_path.name == "test_cases.py" and ops and config.getoption("--case") is None:
        return True
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"case", "contestant"} <= set(metafunc.fixturenames):
        contestants = _contestants(metafunc.config)
        pairs = [(case, c) for case in _cases(metafunc.config) for c in contestants if c.takes_part(case)]
        metafunc.parametrize(("case", "contestant"), pairs, ids=[f"{case}-{c}" for case, c in pairs])
    if "op_case" in metafunc.fixturenames:
        names, known = _names(metafunc.config, "--op") or [], list(metafunc.module.cases())
        if unknown := set(names) - {"all", *(case.op for case in known)}:
            raise pytest.UsageError(f"--op: {', '.join(sorted(unknown))} is not benchmarked")
        metafunc.parametrize("op_case", [c for c in known if "all" in names or c.op in names], ids=str)


@pytest.fixture(scope="session")
def contest(request: pytest.FixtureRequest) -> Iterator[Contest]:
    """The processes of all contestants, alive until the session ends."""
    smoke = request.config.getoption("--smoke")
    rounds = request.config.getoption("--rounds") or (3 if smoke else 7)
    turn = request.config.getoption("--turn") or (0.01 if smoke else 0.1)
    with Contest(rounds, turn, quick=smoke) as running:
        yield running


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest, contest: Contest) -> Results:
    return Results(request.session, contest)


class Results:
    """Runs a case over all contestants that pytest selected for it when the first of them is asked for."""

    def __init__(self, session: pytest.Session, contest: Contest) -> None:
        self._session = session
        self._contest = contest
        self._entries: dict[str, dict[str, Entry]] = {}

    def entry(self, case: Case, contestant: Contestant) -> Entry:
        if case.name not in self._entries:
            self._entries[case.name] = self._contest.run(case, self._selected(case))
        return self._entries[case.name][contestant.name]

    def _selected(self, case: Case) -> list[Contestant]:
        parameters = [item.callspec.params for item in self._session.items if hasattr(item, "callspec")]
        return [p["contestant"] for p in parameters if p.get("case") is case]


def pytest_benchmark_generate_machine_info(config: pytest.Config) -> dict[str, Any]:
    return config.stash[_MACHINE]


def pytest_benchmark_update_json(config: pytest.Config, benchmarks: object, output_json: dict[str, Any]) -> None:
    commit = output_json.get("commit_info", {})
    output_json["commit_info"] = {key: commit.get(key) for key in ("id", "dirty")}
    for benchmark in output_json["benchmarks"]:
        benchmark["params"] = {key: str(value) for key, value in (benchmark["params"] or {}).items()}
