"""Calling pipelines of any make: what they take, whether they tell of their steps, how they are
stopped, and what is said when they refuse."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint_daemon.common.job_contract import JobCancelled

from ..loading.networks import first_line
from ..memory import is_out_of_memory
from ..wrapping import Forward, wrapped
from .classes import parameters

_TELLING = ("callback_on_step_end", "callback")
_REFUSALS = (
    ValueError, TypeError, LookupError, AttributeError, NameError, RuntimeError,
    NotImplementedError,
)  # fmt: skip


def taken_by(pipe: Any) -> Collection[str]:
    """The names of what a pipeline is called with."""
    taken: Collection[str] | None = getattr(pipe, "taken", None)
    return parameters(type(pipe).__call__) if taken is None else taken


def tells_of_steps(known: Collection[str]) -> bool:
    """Whether a pipeline tells of its steps by itself; of others the scheduler does."""
    return any(name in known for name in _TELLING)


@contextmanager
def resting(network: Any, is_over: Callable[[], bool]) -> Iterator[None]:
    """Let a network repeat its last answer once it is over: the steps that a pipeline cannot be
    told to leave out take no time then."""
    last: Any = None

    def once(forward: Forward) -> Forward:
        @functools.wraps(forward)
        def answered(*args: Any, **rest: Any) -> Any:
            nonlocal last
            if last is None or not is_over():
                last = forward(*args, **rest)
            return last

        return answered

    with wrapped(network, once):
        yield


@contextmanager
def in_words(pipeline: str, model: str) -> Iterator[None]:
    """What a pipeline that nobody here has tried refuses, as an error of the request with the
    pipeline's own words. Raises RequestError(BAD_REQUEST)."""
    try:
        yield
    except _REFUSALS as error:
        known = isinstance(error, (UnderpaintError, JobCancelled))
        if known or is_out_of_memory(error):
            raise
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"Model {model!r}: diffusers' {pipeline} refuses: {first_line(error)}",
            hint="Try the size, steps and guidance that its makers name.",
        ) from error
