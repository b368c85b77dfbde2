"""What every run of the suite says at its end: what it left out, and why."""

from __future__ import annotations

from collections import Counter

import pytest


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(told).removeprefix("Skipped: ").splitlines()[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last lines: tests left out by their reasons, so that nobody takes green for whole."""
    stats = terminalreporter.stats
    reasons = Counter(_reason(report) for report in stats.get("skipped", []))
    deselected = len(stats.get("deselected", []))
    if deselected:
        reasons["not asked for (-m, -k or --quick)"] += deselected
    if reasons:
        terminalreporter.section(f"LEFT OUT: {reasons.total()} tests", yellow=True, bold=True)
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count:5d}  {reason}")
