"""The token of gated models: kept where others cannot read it, never seen, found again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.tools.hub.tokens import hub_token

from helpers.daemon.hub_server import Hub

SECRET = "hf_theSecretOne"
WEIGHTS = "pytorch_lora_weights.safetensors"
with_keyring = pytest.mark.skipif(
    find_spec("keyring") is None or find_spec("keyrings.alt") is None,
    reason="needs Python's keyring and keyrings.alt (the dev environment has them)",
)

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")


def models(paths: Paths, *words: str, stdin: str = "", ring: str = "fail.Keyring", **more: str):
    """`underpaint models …` in a process of its own, whose keyring is what keyring's own variable
    says; no secret stands in what it printed."""
    ring = ring if ring.startswith("keyrings.") else f"keyring.backends.{ring}"
    others = {k: v for k, v in os.environ.items() if k not in ("HF_TOKEN", *OFFLINE)}
    environ = others | {
        "UNDERPAINT_DATA": str(paths.data),
        "XDG_DATA_HOME": str(paths.data / "home"),
        "PYTHON_KEYRING_BACKEND": ring,
        **more,
    }
    command = [sys.executable, "-m", "underpaint_daemon", "models", *words]
    done = subprocess.run(command, input=stdin, env=environ, capture_output=True, text=True)
    assert SECRET not in done.stdout + done.stderr
    return done


def in_a_file(paths: Paths, text: str, mode: int = 0o600) -> Path:
    file = paths.data / "hub_token"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


@with_keyring
def test_a_token_is_kept_in_the_keyring_and_opens_a_gated_model(paths, tmp_path) -> None:
    ring = "keyrings.alt.file.PlaintextKeyring"
    assert models(paths, "token", "store", stdin=f"{SECRET}\n", ring=ring).returncode == 0
    assert not (paths.data / "hub_token").exists()
    in_a_file(paths, "hf_another")  # the keyring goes before it
    shown = json.loads(models(paths, "token", "--json", ring=ring).stdout)
    assert (shown["keyring"], shown["file"], shown["keyring_problem"]) == (True, True, "")
    hub = Hub()
    hub.gated = SECRET
    hub.files["latent-consistency/lcm-lora-sdv1-5"] = {WEIGHTS: b"weights"}
    try:
        pull = ("pull", "sd15-lcm", "--mirror", hub.url, "--accept-licence")
        done = models(paths, *pull, ring=ring)
        assert done.returncode == 0, done.stderr
        refused = models(paths, *pull, ring=ring, HF_TOKEN="hf_not_it")
    finally:
        hub.close()
    assert refused.returncode == 2  # what the environment says goes before the keyring
    removed = models(paths, "token", "remove", ring=ring).stdout
    assert "hub_token" in removed
    assert "keyring" in removed
    assert "no token" in models(paths, "token", ring=ring).stdout


@with_keyring
def test_a_keyring_that_keeps_nothing_is_not_believed(paths) -> None:
    done = models(paths, "token", "store", stdin=f"{SECRET}\n", ring="null.Keyring")
    assert done.returncode == 2
    assert "cannot keep the token" in done.stderr


@with_keyring
def test_a_keyring_that_does_not_exist_is_told_and_the_file_is_used(paths) -> None:
    in_a_file(paths, f"{SECRET}\n")
    shown = models(paths, "token", ring="keyrings.none.Keyring").stdout
    assert "used: the token of hub_token" in shown
    assert "keyring cannot be asked" in shown


def test_without_a_keyring_it_is_said_how_and_a_file_takes_the_token(paths) -> None:
    refused = models(paths, "token", "store", stdin=f"{SECRET}\n")
    assert refused.returncode == 2
    assert "token store --file" in refused.stderr
    stored = models(paths, "token", "store", "--file", stdin=f"{SECRET}\n")
    assert stored.returncode == 0
    file = paths.data / "hub_token"
    assert file.stat().st_mode & 0o777 == 0o600 or sys.platform == "win32"
    assert hub_token(paths, {}) == SECRET
    assert "removed from" in models(paths, "token", "remove").stdout
    assert not file.exists()


def test_what_is_no_token_is_refused_and_not_shown(paths) -> None:
    done = models(paths, "token", "store", "--file", stdin=f"{SECRET} and words\n")
    assert (done.returncode, (paths.data / "hub_token").exists()) == (2, False)
    in_a_file(paths, f"{SECRET}\nsecond line\n")
    with pytest.raises(RequestError) as caught:
        hub_token(paths, {})
    assert SECRET not in str(caught.value)


def test_a_token_file_that_others_can_read_is_refused(paths) -> None:
    file = in_a_file(paths, "secret\n", 0o644)
    with pytest.raises(RequestError) as caught:
        hub_token(paths, {})
    assert caught.value.code is ErrorCode.ACCESS_DENIED
    assert "secret" not in str(caught.value)
    file.chmod(0o600)
    assert hub_token(paths, {}) == "secret"
    assert hub_token(paths, {"HF_TOKEN": "other"}) == "other"
