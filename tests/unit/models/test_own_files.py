"""A model's own `underpaint.json`, as people write it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.defaults.own_file import own_wants


@pytest.mark.parametrize(
    "said",
    [
        {"size": 3},
        {"steps": 100_000},
        {"guidance": 1e99},
        {"samplers": []},
        {"sampler": "lcm", "samplers": ["ddim"]},
    ],
    ids=lambda said: next(iter(said)),
)
def test_what_no_request_may_say_is_refused_by_the_files_name(
    said: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / "underpaint.json").write_text(json.dumps(said))
    with pytest.raises(RequestError, match=r"underpaint\.json cannot be understood") as caught:
        own_wants(tmp_path)
    assert caught.value.code is ErrorCode.MODEL_BROKEN
    assert f"it.{next(iter(said))}" in caught.value.message


def test_a_file_that_windows_wrote_is_read(tmp_path: Path) -> None:
    """With a mark of its encoding at the beginning."""
    (tmp_path / "underpaint.json").write_text('{"steps": 7}', "utf-8-sig")
    assert own_wants(tmp_path).steps == 7
