"""Models fetched from a hub that misbehaves: whole, or told why not; never half, never pickled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.tools.hub.access import accept_licence
from underpaint_daemon.tools.hub.catalogue import ModelSet, Part, load_catalogue
from underpaint_daemon.tools.hub.pull import Source, damaged, pull

from helpers.daemon.hub_server import Fault, Hub

WEIGHTS = bytes(range(256)) * 4096
NAME = "unet/model.safetensors"
SET = ModelSet(
    "small", "A small set", "tests", "CC0", "https://example.org", 0.1, 1, False,
    (Part("maker/base", ("model_index.json", "unet/*")),
     Part("maker/control", ("*",), "controlnet_depth")),
)  # fmt: skip


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    hub.files["maker/base"] = {
        "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
        NAME: WEIGHTS,
        "unet/model.bin": b"pickled",
        "unet/run_me.py": b"import os",
        "other/model.safetensors": b"not wanted",
    }
    hub.files["maker/control"] = {"config.json": b"{}", "net.safetensors": WEIGHTS[:1000]}
    yield hub
    hub.close()


def fetch(paths: Paths, hub: Hub, token: str | None = None) -> Path:
    return pull(paths, SET, Source(hub.url, token, pause_s=0.01), lambda line: None)


def test_a_set_arrives_whole_in_its_folders_without_pickles_or_code(paths, hub) -> None:
    folder = fetch(paths, hub)
    names = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    assert names == {
        "model_index.json", NAME, "controlnet_depth/config.json",
        "controlnet_depth/net.safetensors", "pulled.json",
    }  # fmt: skip
    assert (folder / NAME).read_bytes() == WEIGHTS
    assert list(damaged(folder)) == []


@pytest.mark.parametrize(
    "faults",
    [
        [Fault.DROP],
        [Fault.DROP, Fault.DROP],
        [Fault.TRUNCATE],
        [Fault.ERROR, Fault.DROP],
        [Fault.CORRUPT],
    ],
    ids=lambda faults: "+".join(faults),
)
@pytest.mark.parametrize("redirect", [False, True], ids=["direct", "redirected"])
def test_lines_that_misbehave_end_in_the_right_file(paths, hub, faults, redirect) -> None:
    hub.redirect, hub.faults[NAME] = redirect, list(faults)
    assert (fetch(paths, hub) / NAME).read_bytes() == WEIGHTS


def test_a_dropped_file_goes_on_where_it_stopped(paths, hub) -> None:
    hub.faults[NAME] = [Fault.DROP]
    fetch(paths, hub)
    assert hub.sent[NAME] < 1.6 * len(WEIGHTS)


def test_what_stays_damaged_is_refused_and_nothing_is_listed(paths, hub) -> None:
    hub.faults[NAME] = [Fault.CORRUPT] * 9
    with pytest.raises(RequestError) as caught:
        fetch(paths, hub)
    assert caught.value.code is ErrorCode.FILE
    assert "sha256" in caught.value.message
    assert not (paths.models / SET.name).exists()
    hub.faults[NAME] = []
    assert (fetch(paths, hub) / NAME).read_bytes() == WEIGHTS


def test_a_run_that_was_ended_keeps_what_it_had(paths, hub) -> None:
    hub.faults["net.safetensors"] = [Fault.ERROR] * 9
    with pytest.raises(RequestError) as caught:
        fetch(paths, hub)
    assert "goes on where it stopped" in caught.value.hint
    hub.faults["net.safetensors"] = []
    fetch(paths, hub)
    assert hub.sent[NAME] == len(WEIGHTS)


def test_gated_models_want_a_token(paths, hub) -> None:
    hub.gated = "right"
    with pytest.raises(RequestError) as caught:
        fetch(paths, hub, "wrong")
    assert caught.value.code is ErrorCode.ACCESS_DENIED
    assert (fetch(paths, hub, "right") / NAME).is_file()


def test_an_unknown_repository_is_named(paths, hub) -> None:
    del hub.files["maker/control"]
    with pytest.raises(RequestError) as caught:
        fetch(paths, hub)
    assert caught.value.code is ErrorCode.MODEL_MISSING
    assert "maker/control" in caught.value.message


def test_an_environment_that_stays_offline_is_named_at_once(paths, hub, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RequestError, match="stay offline") as caught:
        fetch(paths, hub)
    assert "Unset HF_HUB_OFFLINE" in caught.value.hint


def test_a_repository_of_pickles_alone_is_refused(paths, hub) -> None:
    hub.files["maker/control"] = {"config.json": b"{}", "net.bin": b"pickled"}
    with pytest.raises(RequestError) as caught:
        fetch(paths, hub)
    assert "no safetensors" in caught.value.message


def test_a_changed_file_is_found(paths, hub) -> None:
    folder = fetch(paths, hub)
    (folder / NAME).write_bytes(WEIGHTS[:-1] + b"!")
    (folder / "model_index.json").unlink()
    assert sorted(damaged(folder)) == ["model_index.json is missing", f"{NAME} has changed"]


def test_a_licence_is_shown_and_accepted_once(paths: Paths) -> None:
    shown: list[str] = []
    with pytest.raises(RequestError, match="not accepted"):
        accept_licence(paths, SET, given=False, ask=lambda text: shown.append(text) or "no")
    assert "CC0" in shown[0]
    with pytest.raises(RequestError, match="not accepted"):
        accept_licence(paths, SET, given=False, ask=None)
    accept_licence(paths, SET, given=False, ask=lambda text: "yes")
    accept_licence(paths, SET, given=False, ask=None)


def test_the_catalogue_is_sound() -> None:
    sets = load_catalogue()
    assert len(sets) >= 12
    for one in sets.values():
        assert one.licence
        assert one.licence_url.startswith("https://")
        assert one.parts
        assert one.gb > 0
        assert one.vram_gb > 0
        for part in one.parts:
            owner, _, name = part.repository.partition("/")
            assert owner
            assert name
            assert part.patterns
            assert not any(p.endswith((".bin", ".ckpt", ".py")) for p in part.patterns)
    json.dumps(sorted(sets))
