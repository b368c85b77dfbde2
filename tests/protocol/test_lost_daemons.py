"""What a client does while its daemon is away, deaf, or another one."""

from __future__ import annotations

import time

import pytest

import underpaint
from underpaint.errors import ConnectionLost, ErrorCode
from underpaint.wire import messages as m

from helpers.daemon.real_daemon import wait_for
from helpers.views import view_request


def test_without_a_daemon_connecting_says_so_at_once(paths):
    began = time.monotonic()
    with pytest.raises(ConnectionLost) as absent:
        underpaint.connect(paths, start=False, timeout=120)
    assert absent.value.code is ErrorCode.DAEMON_ABSENT
    assert "daemon start" in absent.value.terminal_hint
    assert time.monotonic() - began < 100, "it does not wait for one to come"


def test_a_deaf_daemon_costs_no_more_than_the_timeout(daemon, paths):
    with underpaint.connect(paths, start=False) as up:
        daemon.deaf.set()
        with pytest.raises(ConnectionLost) as late:
            up.ping(timeout=0.3)
        assert late.value.code is ErrorCode.TIMEOUT
        wait_for(lambda: up.state is underpaint.ClientState.DEGRADED)
        daemon.deaf.clear()
        assert up.ping() is not None
    assert up.state is underpaint.ClientState.CLOSED


def test_a_daemon_that_stays_deaf_is_lost_and_found_again(daemon, paths):
    with underpaint.connect(paths, start=False) as up:
        daemon.deaf.set()
        wait_for(lambda: up.why is not None and "stopped answering" in up.why.message, 60)
        daemon.deaf.clear()
        wait_for(lambda: up.state is underpaint.ClientState.READY, 60)
        assert up.ping()


def test_closing_is_prompt_and_what_waits_fails(daemon, paths):
    daemon.deaf.set()
    up = underpaint.Client(paths, start=False)
    waiting = up.later(lambda: up.ping(timeout=120))
    wait_for(lambda: daemon.left_waiting(m.Hello))
    began = time.monotonic()
    up.close()
    assert time.monotonic() - began < 100, "it waits for no answer"
    with pytest.raises(ConnectionLost):
        waiting.result(300)


def test_who_paints_with_a_closed_client_hears_so_and_waits_for_no_daemon(daemon, paths):
    request, buffers, _ = view_request()
    up = underpaint.connect(paths)
    up.close()
    with pytest.raises(ConnectionLost, match="this client is closed"):
        up.submit(request, buffers)


def test_a_job_survives_a_crash_and_a_new_start_of_its_daemon(daemon, paths):
    daemon.step_s = 0.3
    request, buffers, color = view_request()
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers)
        events = job.events()
        next(events)
        daemon.crash()
        wait_for(lambda: up.state is underpaint.ClientState.ABSENT)
        daemon.step_s = 0.0
        daemon.start()
        rest = list(events)
        files = job.result(300)
    assert isinstance(rest[-1], underpaint.Done)
    assert sum(isinstance(e, underpaint.Done) for e in rest) == 1
    assert files[0].data == (255 - color).tobytes()
    assert sum(isinstance(body, m.Submit) for body in daemon.heard) == 1


def test_a_job_that_the_new_daemon_does_not_know_fails(daemon, paths):
    daemon.step_s = 0.5
    request, buffers, _ = view_request()
    with underpaint.connect(paths, start=False) as up:
        job = up.submit(request, buffers)
        daemon.crash()
        daemon.jobs.clear()
        daemon.start()
        last = list(job)[-1]
    assert isinstance(last, underpaint.Failed)
    assert last.error.code is ErrorCode.JOB_UNKNOWN


def test_what_a_client_waits_for_when_the_daemon_dies_fails_with_a_word(daemon, paths):
    with underpaint.connect(paths, start=False) as up:
        daemon.deaf.set()
        waiting = up.later(up.log)
        wait_for(lambda: daemon.left_waiting(m.LogTail))
        daemon.crash()
        with pytest.raises(ConnectionLost) as lost:
            waiting.result(300)
    assert lost.value.code is ErrorCode.DAEMON_LOST
    assert "accepted jobs are kept" in lost.value.hint


def test_stopping_the_daemon_is_not_undone_by_its_clients(daemon, paths):
    with underpaint.connect(paths, start=True) as up:
        up.shutdown()
        daemon.stop()
        wait_for(lambda: up.state is underpaint.ClientState.ABSENT)
        with pytest.raises(ConnectionLost):
            up.status()
        assert up.state is underpaint.ClientState.ABSENT


def test_an_acknowledgement_leaves_even_when_the_client_closes_at_once(daemon, paths):
    request, buffers, _ = view_request()
    with underpaint.connect(paths, start=False) as up:
        up.submit(request, buffers).result(300)
    wait_for(lambda: any(isinstance(body, m.ResultAck) for body in daemon.heard))
