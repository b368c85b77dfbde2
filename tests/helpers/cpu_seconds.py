"""What a test run costs: seconds on the clock, and seconds of the processor, which do not grow when
others use the machine. A test's own processes count once they have ended."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

_BEGAN = pytest.StashKey[float]()
_COST = "cpu_s"
_LONG_RUN_S, _FILES, _TESTS = 120, 25, 15


def _cpu() -> float:
    return sum(os.times()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before what it is prepared by."""
    item.stash[_BEGAN] = _cpu()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """After what a file's last test takes down, too."""
    if call.when == "teardown":
        item.user_properties.append((_COST, _cpu() - item.stash[_BEGAN]))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Of a long run: the files that took longest, the tests that cost most, and the sums."""
    reports = [
        report
        for group in terminalreporter.stats.values()
        for report in group
        if isinstance(report, pytest.TestReport)
    ]
    waited = _by_file((report.nodeid, report.duration) for report in reports)
    if waited.total() < _LONG_RUN_S:
        return
    costs = dict(_costs(reports))
    files, say = _by_file(costs.items()), terminalreporter.write_line
    terminalreporter.section("slowest files")
    say(f"{waited.total():5.0f} s {files.total():5.0f} CPU s  all tests")
    for name, seconds in waited.most_common(_FILES):
        say(f"{seconds:5.0f} s {files[name]:5.0f} CPU s  {name}")
    terminalreporter.section("dearest tests")
    for name, cost in Counter(costs).most_common(_TESTS):
        say(f"{cost:5.0f} CPU s  {name}")


def _costs(reports: Iterable[pytest.TestReport]) -> Iterator[tuple[str, float]]:
    """What each test cost; only the report of its end tells."""
    for report in reports:
        for name, value in report.user_properties:
            if name == _COST:
                yield report.nodeid, float(str(value))


def _by_file(seconds: Iterable[tuple[str, float]]) -> Counter[str]:
    """Seconds of tests, with what they were prepared by, summed for each file."""
    found = Counter[str]()
    for name, each in seconds:
        found[name.partition("::")[0]] += each
    return found
