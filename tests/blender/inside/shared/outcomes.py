"""A behaviour's outcome, inside Blender."""

from __future__ import annotations

import unittest
from collections.abc import Callable


def outcome(behaviour: Callable[[], None], before: Callable[[], None]) -> str:
    """Run a behaviour after `before`: empty when it holds, else the traceback."""
    result = unittest.TestResult()
    unittest.FunctionTestCase(behaviour, setUp=before).run(result)
    return "".join(text for _case, text in result.failures + result.errors)
