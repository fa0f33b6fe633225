"""What is committed about the outcomes: a list per family, the exclusions with their reasons, and how a run compares.

``recorded/<family>.txt`` has a line ``passed NAME`` or ``failed NAME`` for every test that applies to Netlet;
``not_applicable.toml`` names those that do not, under the reason. A test that its own file skips counts as failed
unless it is named there.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from harness.run import FileRun
from harness.suite import HERE, family_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NOT_APPLICABLE = HERE / "not_applicable.toml"


@functools.cache
def _groups() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = tomllib.loads(NOT_APPLICABLE.read_text(encoding="utf-8"))["group"]
    names = [name for group in groups for name in group["tests"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{NOT_APPLICABLE.name}: named twice: {', '.join(twice)}")
    return groups


def not_applicable() -> dict[str, str]:
    """Return the excluded tests by name, with the reason."""
    return {name: group["reason"] for group in _groups() for name in group["tests"]}


def empty_tests() -> set[str]:
    """Return the excluded tests that pass because they test nothing."""
    return {name for group in _groups() if group.get("empty") for name in group["tests"]}


def recorded(family: str) -> dict[str, str]:
    """Return the committed outcomes of a family by test name."""
    path = HERE / "recorded" / f"{family}.txt"
    if not path.exists():
        return {}
    lines = [line.split(" ", 1) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return {name: outcome for outcome, name in lines}


def judged(run: FileRun) -> dict[str, str]:
    """Return "passed" or "failed" for each test of a run that applies to Netlet."""
    excluded = not_applicable()
    if run.error and not run.outcomes:  # nothing could be loaded: whatever is known of the file has failed
        return {name: "failed" for name in recorded(family_of(run.file)) if name.split("::")[0] == run.file}
    return {
        name: "passed" if outcome.outcome == "passed" else "failed"
        for name, outcome in run.outcomes.items()
        if name not in excluded
    }


def write(family: str, outcomes: dict[str, str]) -> None:
    """Commit the outcomes of all tests of a family."""
    path = HERE / "recorded" / f"{family}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{outcomes[name]} {name}\n" for name in sorted(outcomes)), encoding="utf-8")


def differences(run: FileRun) -> list[str]:
    """Return how a run of a whole file differs from what is recorded, one line each; none if it is as recorded."""
    excluded = not_applicable()
    before = {name: was for name, was in recorded(family_of(run.file)).items() if name.split("::")[0] == run.file}
    now = judged(run)
    found = [f"{run.file}: {run.error}"] if run.error else []
    for name in sorted(before.keys() | now.keys()):
        was, is_ = before.get(name), now.get(name)
        outcome = run.outcomes.get(name)
        if was is None:
            found.append(f"{name}: {is_}, and is not recorded")
        elif is_ is None:
            found.append(f"{name}: recorded as {was}, but Keras has no such test, or it is excluded")
        elif (was, is_) == ("passed", "failed"):
            found.append(f"{name}: passed when it was recorded; {outcome.reason if outcome else run.error}")
        elif (was, is_) == ("failed", "passed"):
            found.append(f"{name}: passes, recorded as failed")
    for name, reason in excluded.items():
        if name.split("::")[0] == run.file:
            outcome = run.outcomes.get(name)
            if outcome is None:
                found.append(f"{name}: excluded, but Keras has no such test")
            elif outcome.outcome == "passed" and name not in empty_tests():
                found.append(f"{name}: passes, excluded because: {reason}")
    return found
