"""What is shown of a run, and RESULTS.md, which is made from the recorded outcomes alone."""

from __future__ import annotations

from collections import Counter

from harness.record import not_applicable, recorded
from harness.run import FileRun
from harness.suite import FAMILIES, HERE, VERSION, family_of

RESULTS = HERE / "RESULTS.md"
SIGNS = {"passed": "PASSED", "failed": "FAILED", "skipped": "SKIPPED"}


def print_run(run: FileRun, verbose: bool) -> None:
    """Print the outcomes of one file: a line for each test that did not pass, then the counts."""
    excluded = not_applicable()
    if run.error:
        print(f"{run.file}: {run.error}")
        if verbose:
            print(run.details)
    for name, outcome in run.outcomes.items():
        if outcome.outcome == "passed":
            continue
        note = " (not applicable)" if name in excluded else ""
        print(f"{SIGNS[outcome.outcome]}{note} {name}: {outcome.reason}")
        if verbose and outcome.details and name not in excluded:
            print(outcome.details)
    counts = Counter(outcome.outcome for name, outcome in run.outcomes.items() if name not in excluded)
    left_out = sum(name in excluded for name in run.outcomes)
    print(
        f"{run.file}: {counts['passed']} passed, {counts['failed'] + counts['skipped']} failed"
        f"{f', {left_out} not applicable' if left_out else ''}",
        flush=True,
    )


def _share(passed: int, failed: int) -> str:
    return f"{100 * passed / (passed + failed):.1f} %" if passed + failed else "–"


def write() -> None:
    """Write RESULTS.md."""
    excluded = not_applicable()
    lines = [
        f"# Keras' own unit tests (Keras {VERSION})",
        "",
        "Made by `python tests/conformance/keras --record` from `recorded/` and `not_applicable.toml`; how to run them "
        "stands in README.md. A test that its own file skips counts as failed, unless it is named as not applicable.",
        "",
        "| family | passed | failed | not applicable | passed of those that apply |",
        "|---|---|---|---|---|",
    ]
    by_file: dict[str, Counter[str]] = {}
    sums: Counter[str] = Counter()
    for family in FAMILIES:
        counts: Counter[str] = Counter()
        for name, outcome in recorded(family).items():
            by_file.setdefault(name.split("::")[0], Counter())[outcome] += 1
            counts[outcome] += 1
        for name in excluded:
            if family_of(name) == family:
                by_file.setdefault(name.split("::")[0], Counter())["excluded"] += 1
                counts["excluded"] += 1
        sums.update(counts)
        lines.append(_row(family, counts))
    lines.append(_row("**all**", sums))
    lines += ["", "| file | passed | failed | not applicable | passed of those that apply |", "|---|---|---|---|---|"]
    lines += [_row(f"`{file}`", by_file[file]) for file in sorted(by_file, key=lambda file: (family_of(file), file))]
    lines += ["", "## Not applicable, and why", ""]
    reasons: dict[str, list[str]] = {}
    for name, reason in excluded.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        lines += [f"{reason}:", "", *(f"- `{name}`" for name in names), ""]
    RESULTS.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def _row(what: str, counts: Counter[str]) -> str:
    passed, failed = counts["passed"], counts["failed"]
    return f"| {what} | {passed} | {failed} | {counts['excluded']} | {_share(passed, failed)} |"
