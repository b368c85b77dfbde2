"""Files that are in memory first and on the disk soon after."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, UnderpaintError
from underpaint.requests import ImageRequest, Prompt
from underpaint.wire.connection import read_connection, write_connection
from underpaint.wire.shared import usable
from underpaint_daemon.common.blobs import Blobs, blob_name
from underpaint_daemon.common.staging import Staging, make_staging

from helpers.daemon.real_daemon import wait_for

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such memory")


def with_picture(prompt: str, value: int = 7) -> tuple[ImageRequest, Buffers]:
    buffers = Buffers()
    init = buffers.add(Kind.COLOR, np.full((256, 256, 3), value, np.uint8))
    return ImageRequest(Prompt(prompt), init=init), buffers


def test_a_file_is_found_before_and_after_it_is_settled(tmp_path):
    staging = Staging(tmp_path / "disk", tmp_path / "fast")
    (tmp_path / "fast" / "blobs").mkdir(parents=True)
    (tmp_path / "fast" / "blobs" / "a").write_bytes(b"hello")
    (tmp_path / "fast" / "blobs" / ".part-b").write_bytes(b"hal")
    with staging.open("blobs/a") as before:
        assert staging.settle(older_than=2**40) == 1
        with staging.open("blobs/a") as after:
            assert before.read() == after.read() == b"hello"
    assert (tmp_path / "disk" / "blobs" / "a").exists()
    assert not (tmp_path / "fast" / "blobs" / "a").exists()
    staging.remove("blobs/a")
    assert staging.size("blobs/a") is None


def test_everything_is_on_the_disk_when_the_daemon_has_ended(daemon):
    request, buffers = with_picture("steps=1")
    job = daemon.client().submit(request, buffers)
    job.result(120)
    shared = read_connection(daemon.paths.connection_file).shared
    daemon.client().shutdown()
    assert daemon.process.wait(300) == 0
    assert (daemon.paths.data / "jobs" / job.id / "results" / "image_0.bin").exists()
    assert len([p for p in (daemon.paths.data / "blobs").rglob("*") if p.is_file()]) == 1
    assert not shared or not Path(shared).exists()
    daemon.start()
    assert daemon.client().job(job.id).result(120)


def test_files_settle_by_themselves_and_the_job_is_found_all_the_same(daemon):
    up = daemon.client()
    job = up.submit(ImageRequest(Prompt("steps=1")))
    job.result(120)
    results = daemon.paths.data / "jobs" / job.id / "results"
    wait_for(lambda: (results / "image_0.bin").exists())
    assert daemon.client().job(job.id).result(120)


def test_a_client_that_shares_no_memory_gets_the_same_by_wire(daemon):
    file = daemon.paths.connection_file
    write_connection(file, replace(read_connection(file), shared=""))
    request, buffers = with_picture("steps=1 bytes=1500000")
    (result,) = daemon.client().submit(request, buffers).result(120)
    assert result.facts == {"buffers_intact": True, "count": 1}
    assert len(result.data) == 1_500_000


@linux
def test_a_buffer_that_is_not_what_its_name_says_fails_the_job(daemon):
    """A client that lies into the shared folder is believed by nobody, itself included."""
    request, _buffers = with_picture("steps=1")
    sha = request.init.sha256
    folder = Path(read_connection(daemon.paths.connection_file).shared) / "blobs" / sha[:2]
    folder.mkdir(parents=True)
    (folder / sha).write_bytes(bytes(256 * 256 * 3))
    up = daemon.client()
    with pytest.raises(UnderpaintError) as failure:
        up.submit(request, Buffers()).result(120)
    assert failure.value.code is ErrorCode.BAD_BUFFER
    assert not (folder / sha).exists()
    request, buffers = with_picture("steps=1")
    assert up.submit(request, buffers).result(120)[0].facts["buffers_intact"]


@linux
def test_a_blob_that_a_power_cut_damaged_is_not_painted_with(idle_daemon):
    request, buffers = with_picture("steps=1")
    idle_daemon.start().client().submit(request, buffers).result(120)
    up = idle_daemon.client()
    up.shutdown()
    assert idle_daemon.process.wait(300) == 0
    blob = idle_daemon.paths.data / "blobs" / request.init.sha256[:2] / request.init.sha256
    blob.write_bytes(bytes(blob.stat().st_size))
    idle_daemon.start()
    with pytest.raises(UnderpaintError) as failure:
        idle_daemon.client().submit(request, Buffers()).result(120)
    assert failure.value.code is ErrorCode.BAD_BUFFER
    (result,) = idle_daemon.client().submit(request, buffers).result(120)
    assert result.facts["buffers_intact"]


@pytest.mark.parametrize(("left", "told"), [(100, "100 of 196608"), (None, "0 of 196608")])
def test_a_blob_that_is_cut_short_or_gone_before_it_is_hashed_is_told(left, told, tmp_path):
    """A job of which nothing was told held the queue for good."""
    blobs, (request, buffers) = Blobs(Staging(tmp_path, None)), with_picture("steps=1")
    assert request.init is not None
    path = tmp_path / blob_name(request.init.sha256)
    path.parent.mkdir(parents=True)
    path.write_bytes(buffers[request.init.sha256].tobytes())
    unhashed = blobs.require(request)
    assert unhashed == [request.init]
    path.unlink()
    if left is not None:
        path.write_bytes(bytes(left))
    with pytest.raises(UnderpaintError, match=told) as failure:
        blobs.verify(unhashed)
    assert failure.value.code is ErrorCode.BAD_BUFFER


def test_a_blob_that_is_cut_short_under_a_waiting_job_fails_it_in_words(daemon):
    up = daemon.client()
    long = up.submit(ImageRequest(Prompt("steps=2000 seconds=0.01")))
    request, buffers = with_picture("steps=1", 9)
    job = up.submit(request, buffers)
    wait_for(lambda: up.status().running == long.id)
    assert request.init is not None
    for root in make_staging(daemon.paths.data).roots:
        for path in root.glob(f"blobs/*/{request.init.sha256}"):
            path.write_bytes(path.read_bytes()[:100])
    long.cancel()
    with pytest.raises(UnderpaintError) as failure:
        job.result(300)
    assert failure.value.code is ErrorCode.BAD_BUFFER
    assert "100 of 196608 bytes" in failure.value.message


@linux
def test_only_a_folder_of_our_own_is_shared(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    assert usable(str(mine)) == mine
    (tmp_path / "link").symlink_to(mine)
    assert usable(str(tmp_path / "link")) is None
    mine.chmod(0o755)
    assert usable(str(mine)) is None
    assert usable("") is None
    assert usable(str(tmp_path / "absent")) is None


CLAIM = "import sys; from pathlib import Path; from underpaint_daemon.common import staging; "


def claimed(
    data: Path, *, then: str = "pass", end: bool = True
) -> tuple[Path, subprocess.Popen[str]]:
    """The memory of a data folder, made by another process, which is killed where it has to
    `end`."""
    data.mkdir()
    script = CLAIM + f"{then}; print(staging.make_staging(Path(sys.argv[1])).fast, flush=True); "
    other = subprocess.Popen(
        [sys.executable, "-c", script + "sys.stdin.read()", str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    fast = Path(other.stdout.readline().strip())
    (fast / "blobs").mkdir()
    if end:
        other.kill()
        other.wait()
    return fast, other


@linux
def test_memory_of_a_killed_daemon_whose_folder_is_gone_is_freed(tmp_path):
    killed, _ = claimed(tmp_path / "first")
    make_staging(tmp_path)
    assert (killed / "blobs").exists()
    (tmp_path / "first").rmdir()
    second = make_staging(tmp_path).fast
    assert not killed.exists()
    shutil.rmtree(second)


@linux
def test_memory_of_a_daemon_that_lives_stays_while_its_drive_is_away(tmp_path):
    fast, other = claimed(tmp_path / "drive", end=False)
    (tmp_path / "drive").rename(tmp_path / "away")
    second = make_staging(tmp_path).fast
    assert (fast / "blobs").exists()
    other.communicate()
    make_staging(tmp_path)
    assert not fast.exists()
    shutil.rmtree(second)


@linux
def test_a_daemon_leaves_the_memory_of_another_container_alone(tmp_path):
    """Containers may share the machine's memory, and see other files: what is missing here is
    not gone there."""
    other_view = "staging._view = lambda: 'mnt:[1] 1:1'"
    fast, _ = claimed(tmp_path / "unseen", then=other_view)
    (tmp_path / "unseen").rmdir()
    second = make_staging(tmp_path).fast
    assert (fast / "blobs").exists()
    shutil.rmtree(fast)
    shutil.rmtree(second)
