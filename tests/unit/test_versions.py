"""What a daemon says to a client of a newer release that it does not understand."""

from __future__ import annotations

import pytest

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.requests import ImageRequest, Prompt
from underpaint.tree import from_plain, to_plain
from underpaint.wire import limits
from underpaint.wire.envelope import Envelope
from underpaint.wire.message_types import parse
from underpaint_daemon.common.checks.fields import check_range
from underpaint_daemon.server.sockets.versions import told_to

NEWER = limits.MINOR + 1


def unread() -> UnderpaintError:
    """Of a request with a field of the next release."""
    with pytest.raises(RequestError) as refused:
        from_plain({**to_plain(ImageRequest(Prompt("moss"))), "mood": "glad"})
    return refused.value


def strange() -> UnderpaintError:
    """Of a message of the next release."""
    with pytest.raises(UnderpaintError) as refused:
        parse(Envelope("mood.set", "id", None, {}, ()))
    return refused.value


@pytest.mark.parametrize("error", [unread, strange])
def test_what_a_newer_client_may_know_is_put_down_to_the_older_daemon(error) -> None:
    told = told_to(NEWER, error())
    assert told.code is ErrorCode.UNSUPPORTED
    assert f"the client speaks 1.{NEWER}, this daemon 1.{limits.MINOR}" in told.message
    assert "underpaint daemon stop" in told.terminal_hint
    assert told_to(limits.MINOR, error()).message == error().message


def test_bad_input_stays_bad_input_whoever_sends_it() -> None:
    with pytest.raises(RequestError) as refused:
        check_range("sampling.steps", -3, 1, 200)
    assert told_to(NEWER, refused.value) is refused.value
