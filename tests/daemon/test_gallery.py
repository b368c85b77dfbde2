"""Everything painted on this machine, as every host sees it."""

from __future__ import annotations

import sqlite3

import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, Prompt
from underpaint.wire.messages import GalleryList

from helpers.daemon.real_daemon import wait_for

PAINTED = "steps=1 picture=300x100"


def paint(up, words: str, model: str = "starter", origin: str | None = None) -> str:
    job = up.submit(ImageRequest(Prompt(f"{PAINTED} {words}"), model=model), origin=origin)
    job.result(120)
    return job.id


def found(up, **asked) -> list[str]:
    return [picture.job for picture in up.gallery(GalleryList(**asked)).pictures]


def test_paintings_are_found_by_words_model_and_origin(daemon):
    up = daemon.client()
    mug = paint(up, "a Red mug", origin="Kitchen")
    theiere = paint(up, "une THÉIÈRE rouge, 100% clay", "sdxl", "Kitchen")
    tree = paint(up, "a tree under_score", origin="Garden")
    up.submit(ImageRequest(Prompt("steps=1 nothing to see"))).result(120)
    up.submit(ImageRequest(Prompt(f"{PAINTED} fail_at=1")))
    wait_for(lambda: up.ping().running == up.ping().queued == 0)
    everything = up.gallery()
    assert [picture.job for picture in everything.pictures] == [tree, theiere, mug]
    assert everything.models == ("sdxl", "starter")
    assert everything.origins == ("Garden", "Kitchen")
    shown = everything.pictures[-1]
    assert (shown.kind, shown.name, shown.model) == ("image", "image-0.png", "starter")
    assert found(up, words="RED") == [mug]
    assert found(up, words="théière clay") == [theiere]
    assert found(up, words="100%") == [theiere], "a sign is a sign"
    assert found(up, words="under_score") == [tree]
    assert found(up, words="un_er") == []
    assert found(up, model="sdxl") == [theiere]
    assert found(up, origin="Kitchen", words="mug") == [mug]
    assert found(up, limit=1) == [tree]
    assert found(up, limit=1, before=everything.pictures[0].created) == [theiere]


def test_a_thumbnail_shows_the_painting(daemon):
    up = daemon.client()
    paint(up, "red above blue")
    (picture,) = up.gallery().pictures
    small = up.thumbnail(picture)
    assert small.shape == (43, 128, 3)
    assert small[2, 60].tolist() == [255, 0, 0]
    assert small[-2, 60].tolist() == [0, 0, 255]


def test_what_has_no_thumbnail_says_so(daemon):
    up = daemon.client()
    job = up.submit(ImageRequest(Prompt("steps=1")))
    job.result(120)
    up_to = [f"image{end}" for end in ("_0.bin", "-9.png")]
    from underpaint.wire.messages import PictureInfo

    for name in up_to:
        with pytest.raises(RequestError) as refused:
            up.thumbnail(PictureInfo(job.id, "image", 0.0, name))
        assert refused.value.code is ErrorCode.RESULT_UNKNOWN


def test_pinned_paintings_stay_when_room_is_made(idle_daemon):
    up = idle_daemon.start("--results-mb", "1").client()
    kept = paint(up, "bytes=700000 kept")
    up.pin(kept)
    gone = paint(up, "bytes=700000 goes")
    last = paint(up, "bytes=900000 last")
    wait_for(lambda: gone not in found(up))
    assert kept in found(up)
    assert found(up, pinned=True) == [kept]
    up.pin(kept, False)
    paint(up, "bytes=900000 one more")
    wait_for(lambda: kept not in found(up))
    assert last not in found(up, pinned=True)


def test_a_painting_is_removed_for_good_but_none_that_is_painted_yet(daemon):
    up = daemon.client()
    first = paint(up, "one")
    folder = daemon.paths.data / "jobs" / first
    running = up.submit(ImageRequest(Prompt("steps=200 seconds=0.02")))
    with pytest.raises(RequestError) as refused:
        up.remove(running.id)
    assert refused.value.code is ErrorCode.BAD_REQUEST
    up.remove(first)
    assert found(up) == []
    wait_for(lambda: not folder.exists())
    with pytest.raises(RequestError) as unknown:
        up.remove(first)
    assert unknown.value.code is ErrorCode.JOB_UNKNOWN
    running.cancel(hard=True)


def test_paintings_from_before_there_was_a_gallery_are_found_by_their_titles(idle_daemon):
    up = idle_daemon.start().client()
    job = paint(up, "an old mug")
    up.shutdown()
    idle_daemon.process.wait(300)
    with sqlite3.connect(idle_daemon.paths.data / "jobs.db") as db:
        for name in ("model", "origin", "words", "pinned", "paused", "place"):
            db.execute(f"ALTER TABLE jobs DROP COLUMN {name}")
        db.execute("PRAGMA user_version = 2")
    db.close()
    up = idle_daemon.start().client()
    assert found(up, words="OLD mug") == [job]
