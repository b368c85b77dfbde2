"""What holds for every run of the suite: compiled modules are kept, long files come first, each
Blender's part of a file may run beside another's, and at its end it says what it left out."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections import Counter

import pytest
from xdist.scheduler import LoadScopeScheduling

# A test starts many processes; without this each would compile diffusers anew: 15 CPU seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell lets what it runs in the background ignore Ctrl-C, and all that this starts inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_SERIES = re.compile(r"^tests/blender/.*\[(\d\.\d)\b")
"""The Blender series that a test's parameters name first."""

pytest_plugins = [
    "helpers.large_comparisons",
    "helpers.cpu_seconds",
    "helpers.own_data",
    "helpers.collecting",
]

_LONGEST_FIRST = (
    # Each process begins with one of six, and has one of the next six to go on with. Four of
    # each six mostly wait, for Blender or a daemon; two compute meanwhile.
    "tests/blender/test_extension.py",  # four: what needs no Blender, and one for each of three
    "tests/window/test_window.py",
    "tests/worker/loading/test_comfy_files.py",
    "tests/starter/test_model_training.py",
    "tests/docs/test_examples.py",
    "tests/blender/test_addon_animation.py",
    "tests/texturing/test_edit_cli.py",
    "tests/families/test_families.py",
    "tests/worker/loading/test_single_file.py",
    # Whoever is done takes the next: those that compute, for as long as the others wait.
    "tests/texturing/surface/test_projection.py",
    "tests/packages/test_wheels.py",
    "tests/worker/loading/test_memory.py",
    "tests/daemon/test_bench.py",
    "tests/texturing/test_runner.py",
    "tests/starter/test_training_by_minutes.py",
    "tests/texturing/test_resume.py",
    "tests/meshes/test_memory.py",
    "tests/texturing/test_memory.py",
    "tests/worker/loading/test_lone_transformers.py",
    "tests/texturing/surface/test_sharp_lookup.py",
    "tests/texturing/test_pipeline_denoiser.py",
    "tests/blender/test_capture.py",
    "tests/families/test_gpu_check.py",
    "tests/texturing/test_runner_cli.py",
    "tests/fault/test_deaths.py",
    "tests/texturing/surface/test_rig.py",
    "tests/texturing/test_edit.py",
    "tests/worker/test_regions.py",
)
"""A file is one process's work: a long one that began last would be waited for alone."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all else as it was."""
    places = {name: place for place, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


class ByFileAndBlender(LoadScopeScheduling):
    """One process for a file, which shares what it builds; or for each Blender series of a file."""

    def _split_scope(self, nodeid: str) -> str:
        file, series = nodeid.partition("::")[0], _SERIES.match(nodeid)
        return f"{file} {series[1]}" if series else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """How tests are spread when there are several processes."""
    return ByFileAndBlender(config, log)


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(told).removeprefix("Skipped: ").splitlines()[0]


@pytest.hookimpl(trylast=True)
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
