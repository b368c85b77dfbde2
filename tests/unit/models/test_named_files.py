"""Files that a request names beside its model are looked at before it waits and loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, ImageRequest, Lora, Prompt, Reference
from underpaint_daemon.common.checks.files import check_files

from helpers.sparse_files import sparse

ADAPTER = {
    "image_proj.proj.weight": (8, 12),
    "image_proj.norm.weight": (2,),
    "ip_adapter.1.to_k_ip.weight": (2, 2),
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "run", tmp_path, tmp_path / "cache")


def refusal(paths: Paths, **named: object) -> RequestError:
    """Of the starter, with what a request names."""
    with pytest.raises(RequestError) as caught:
        check_files(replace(ImageRequest(Prompt("a")), **named), paths)
    return caught.value


def test_what_is_not_there_or_no_network_is_told(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "empty.safetensors").touch()
    (tmp_path / "old.pth").write_bytes(b"\x80\x02}q")
    for name, code, told in (
        ("nowhere", ErrorCode.CONTROL_MISSING, "There is no ControlNet"),
        ("empty.safetensors", ErrorCode.MODEL_BROKEN, "is empty"),
        ("old.pth", ErrorCode.MODEL_BROKEN, "is pickled"),
    ):
        control = Control(ControlKind.DEPTH, model=str(tmp_path / name))
        error = refusal(paths, controls=(control,))
        assert (error.code, told in error.message) == (code, True), error
        check_files(ImageRequest(Prompt("a"), controls=(replace(control, scale=0.0),)), paths)


def test_an_adapter_without_its_encoder_is_told(paths: Paths, tmp_path: Path) -> None:
    file = sparse(tmp_path / "looks.safetensors", ADAPTER)
    seen = Reference(model=str(file))
    assert "an embedding 12 wide" in refusal(paths, references=(seen,)).message
    gone = refusal(paths, references=(replace(seen, model="/no/such"),))
    assert gone.code is ErrorCode.CONTROL_MISSING


def test_a_lora_that_is_none_is_told(paths: Paths, tmp_path: Path) -> None:
    file = sparse(tmp_path / "looks.safetensors", ADAPTER)
    error = refusal(paths, loras=(Lora(str(file)),))
    assert error.code is ErrorCode.LORA_MISSING
    assert "is an IP-Adapter" in error.message


@pytest.mark.parametrize("name", ["a" * 5000, f"/{'b' * 300}", "a\0b"])
def test_a_name_that_no_disk_has_is_not_there(paths: Paths, name: str) -> None:
    control = Control(ControlKind.DEPTH, model=name)
    assert refusal(paths, model=name, loras=(Lora("x"),)).code is ErrorCode.MODEL_MISSING
    assert refusal(paths, loras=(Lora(name),)).code is ErrorCode.LORA_MISSING
    assert refusal(paths, controls=(control,)).code is ErrorCode.CONTROL_MISSING
    assert refusal(paths, references=(Reference(model=name),)).code is ErrorCode.CONTROL_MISSING
