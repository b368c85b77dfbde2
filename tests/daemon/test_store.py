"""The job table across releases: no table stops a start, and what cannot be read fails in words."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from underpaint.errors import ConnectionLost, ErrorCode
from underpaint.wire.messages import FileInfo, JobState
from underpaint_daemon.common.pipe import Writer, read_message
from underpaint_daemon.common.staging import Staging
from underpaint_daemon.server.jobs.schema import SCHEMA
from underpaint_daemon.server.jobs.store import Store
from underpaint_daemon.worker.host import run_job
from underpaint_daemon.worker.reporting import Wishes

from helpers.daemon.real_daemon import wait_for

FROZEN = Path(__file__).parents[1] / "data" / "jobs_1570e7d.db"
UNKNOWN = json.dumps({"kind": "video", "prompt": {"text": "x"}})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "jobs.db"
    path.parent.mkdir()
    shutil.copyfile(FROZEN, path)
    return path


def told(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def test_an_old_table_is_taken_over_with_every_job_and_its_starts(table: Path) -> None:
    store = Store(table)
    assert store.starts == 5
    assert {job.id: str(job.state) for job in store.newest(50, None)} == {
        "done-1": "done",
        "failed-1": "failed",
        "cancelled-1": "cancelled",
        "running-1": "running",
        "queued-1": "queued",
    }
    assert store.require("done-1").acked
    assert store.require("running-1").warnings == ("warned before",)
    store.close()
    with sqlite3.connect(table) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    db.close()
    again = Store(table)
    assert again.starts == 6
    again.close()


def test_a_table_of_a_newer_release_is_used_while_it_has_our_columns(table: Path) -> None:
    Store(table).close()
    told(table, "ALTER TABLE jobs ADD COLUMN priority INTEGER", "PRAGMA user_version = 99")
    store = Store(table)
    store.add("new-1", "0" * 64, "image", "new", "{}")
    assert store.require("queued-1").state is JobState.QUEUED
    store.close()
    with sqlite3.connect(table) as db:  # the newer release finds its own number again
        assert db.execute("PRAGMA user_version").fetchone() == (99,)
    db.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE jobs SET state = 'paused' WHERE id = 'queued-1'",
        "UPDATE jobs SET files = '[{\"name\": 1, \"more\": 2}]' WHERE id = 'queued-1'",
        "UPDATE jobs SET warnings = 'not json' WHERE id = 'queued-1'",
        "UPDATE jobs SET error = '{' WHERE id = 'queued-1'",
        "UPDATE jobs SET title = x'ff00' WHERE id = 'queued-1'",
        "UPDATE jobs SET created = 'yesterday' WHERE id = 'queued-1'",
    ],
)
def test_a_row_that_cannot_be_read_is_a_failed_job_with_a_hint(table: Path, change: str) -> None:
    told(table, change)
    store = Store(table)
    job = store.require("queued-1")
    assert job.state is JobState.FAILED
    assert "another release" in job.error["message"]
    assert "Submit it again" in job.error["hint"]
    assert len(store.newest(50, None)) == 5
    store.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(
            b"this is no database, but long enough to be taken for one" * 9
        ),
        lambda path: path.write_bytes(FROZEN.read_bytes()[:5000]),
        lambda path: told(path, "ALTER TABLE jobs RENAME COLUMN digest TO sum"),
        lambda path: told(path, "DROP TABLE jobs", "CREATE TABLE jobs (id TEXT)"),
    ],
    ids=["no database", "cut off", "a column renamed", "another table"],
)
def test_a_table_that_cannot_be_used_is_kept_aside_and_a_new_one_begun(table: Path, spoil) -> None:
    spoil(table)
    before = table.read_bytes()
    store = Store(table)
    store.add("new-1", "0" * 64, "image", "new", "{}")
    assert [job.id for job in store.newest(9, None)] == ["new-1"]
    store.close()
    (aside,) = table.parent.glob("jobs-unreadable-*.db")
    assert aside.stat().st_size >= len(before)


def test_a_folder_in_the_tables_place_is_a_registered_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(ConnectionLost, match=r"jobs\.db") as raised:
        Store(tmp_path / "data" / "jobs.db")
    assert raised.value.code is ErrorCode.DAEMON_START_FAILED


def test_results_nobody_fetched_stay_until_they_are_old(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.db")
    for id in ("fetched", "waiting"):
        store.add(id, "0" * 64, "image", id, "{}")
        store.finish_done(id, [FileInfo("a.png", "image/png", 1000, "0" * 64, {})])
    store.acknowledge("fetched")
    assert store.results_to_remove(max_bytes=10, older_than=0.0) == ["fetched"]
    assert set(store.results_to_remove(max_bytes=10, older_than=9e12)) == {"fetched", "waiting"}
    store.close()


def test_a_daemon_starts_on_an_old_queue_and_runs_what_it_can_read(idle_daemon) -> None:
    table = idle_daemon.paths.data / "jobs.db"
    table.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FROZEN, table)
    columns = "id, digest, kind, title, request, state, created, updated"
    told(
        table,
        f"INSERT INTO jobs ({columns}) VALUES "
        f"('newer-1', 'd', 'video', 'a film', '{UNKNOWN}', 'queued', 1, 1)",
        f"INSERT INTO jobs ({columns}) VALUES ('odd-1', 'd', 'image', '', '[[', 'running', 1, 1)",
    )
    up = idle_daemon.start().client()
    wait_for(lambda: up.job("queued-1").info.state is JobState.DONE)
    infos = {info.job: info for info in up.jobs()}
    assert infos["running-1"].state is JobState.DONE
    assert up.request_of("newer-1")["kind"] == "video"
    for id in ("newer-1", "odd-1"):
        info = infos[id]
        assert info.state is JobState.FAILED
        assert "Submit it again" in info.error["hint"]
    assert len(idle_daemon.runs()) == 2


@pytest.mark.parametrize("request_text", ["[[", UNKNOWN, '"text"', "{}"])
def test_a_request_that_cannot_be_read_fails_its_job_and_not_its_worker(
    tmp_path: Path, request_text: str
) -> None:
    line = io.BytesIO()
    message = {"job": "j-1", "attempt": 1, "request": request_text}
    staging = Staging(tmp_path, None)
    with ThreadPoolExecutor(1) as hasher:
        run_job(message, lambda: pytest.fail("it ran"), staging, Writer(line), Wishes(), hasher)
    line.seek(0)
    told = read_message(line)
    assert (told["t"], told["job"]) == ("failed", "j-1")
    assert told["error"]["code"] == "bad_request"
    record = json.loads((tmp_path / "jobs" / "j-1" / "job.json").read_text())
    assert record["outcome"] == "failed"
