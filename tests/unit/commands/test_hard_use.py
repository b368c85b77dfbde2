"""The command line where little is as it should be: closed streams, full disks, folders that cannot
be, another Python's daemon. Each ends by the table, with words and no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from underpaint.blenders import usual_places
from underpaint.cli.guard import Exit
from underpaint.cli.main import main as front
from underpaint.paths import Paths, user_paths
from underpaint_daemon.__main__ import main as back

_CLIENT = [sys.executable, "-m", "underpaint.cli.main"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="shells, devices and accounts of POSIX")


def shell(line: str, data: Path) -> subprocess.CompletedProcess[str]:
    """A line of sh, in which `up` is the command."""
    command = " ".join(_CLIENT)
    return subprocess.run(
        ["sh", "-c", f"up() {{ {command} \"$@\"; }}\n{line}"],
        env={**os.environ, "UNDERPAINT_DATA": str(data)},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip


@posix
def test_closed_streams_change_nothing_but_what_is_read(tmp_path: Path) -> None:
    done = shell("up config path >&-; echo $?; up config get nope 2>&-; echo $?", tmp_path)
    assert done.stdout.split() == ["0", "2"]
    assert done.stderr == ""


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("form", ["", "--json"])
def test_output_that_cannot_be_written_is_told_and_no_bad_input(tmp_path: Path, form: str) -> None:
    done = shell(f"up config list {form} >/dev/full", tmp_path)
    assert done.returncode == Exit.FAILED
    assert done.stderr.startswith("error: what was to be printed could not be written: No space")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("words", [["jobs"], ["daemon", "start"]])
def test_a_data_folder_that_cannot_be_is_named_with_what_moves_it(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path / "file" / "below"))
    assert front(words) == Exit.FAILED
    told = capsys.readouterr().err
    assert f"{tmp_path / 'file' / 'below'} cannot be written: Not a directory" in told
    assert "UNDERPAINT_DATA" in told
    assert "Errno" not in told


def test_a_daemons_python_that_is_not_there_is_named_by_all_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path))
    monkeypatch.setenv("UNDERPAINT_PYTHON", str(tmp_path / "python"))
    for words in (["jobs"], ["texture", "a.obj", "--prompt", "x", "--out", "o"], ["doctor"]):
        assert front(words) == Exit.FAILED
        told = "".join(capsys.readouterr())
        assert f"{tmp_path / 'python'} cannot be started: No such file" in told
        assert "UNDERPAINT_PYTHON" in told


def test_folders_by_a_variable_are_the_same_for_daemon_and_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = user_paths({"UNDERPAINT_DATA": "data", "UNDERPAINT_CACHE": "~/cache"})
    assert found.data == tmp_path / "data"
    assert found.cache == Path("~/cache").expanduser()


@pytest.mark.parametrize(
    ("platform", "data", "cache"),
    [
        ("linux", ".local/share/underpaint", ".cache/underpaint"),
        ("darwin", "Library/Application Support/Underpaint", "Library/Caches/Underpaint"),
        ("win32", "AppData/Local/Underpaint", "AppData/Local/Underpaint/Cache"),
    ],
)
def test_each_system_has_its_own_folders(platform: str, data: str, cache: str) -> None:
    found = user_paths({"HOME": "/home/me"}, platform)
    assert (found.data, found.cache) == (Path("/home/me", data), Path("/home/me", cache))


@posix
def test_a_connection_file_that_others_can_read_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    _connection(tmp_path, major=1)
    (tmp_path / "run" / "connection.json").chmod(0o644)
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path))
    for words in (["daemon", "status"], ["daemon", "stop"], ["jobs"]):
        assert front(words) == Exit.FAILED
        assert "other users can read it" in capsys.readouterr().err


@posix
def test_an_empty_home_is_the_accounts_own_and_not_the_disks_root() -> None:
    import pwd

    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert user_paths({"HOME": ""}, "linux").data == home / ".local/share/underpaint"
    assert f"{home}/blender*/blender" in usual_places({"HOME": ""}, "linux")


def _connection(data: Path, **told: object) -> None:
    paths = Paths(data / "run", data, data / "cache")
    paths.runtime.mkdir(mode=0o700)
    paths.connection_file.write_text(json.dumps(told))
    paths.connection_file.chmod(0o600)


@pytest.mark.parametrize("told", [{}, {"nope": 1}, {"major": 1}, {"major": 2, "pid": 2**22 + 1}])
def test_a_connection_file_that_leads_nowhere_is_no_daemon(
    told: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    _connection(tmp_path, **told)
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path))
    assert front(["daemon", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"state": "absent", "data": str(tmp_path)}
    assert front(["daemon", "stop"]) == 0


def test_a_living_daemon_of_another_protocol_is_named_with_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    _connection(tmp_path, major=2, pid=os.getpid())
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path))
    assert front(["jobs"]) == Exit.FAILED
    told = capsys.readouterr().err
    assert f"(process {os.getpid()}) speaks protocol 2" in told
    assert "same release" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["generate", "--prompt", "x", "--out", "file"], "file: there is a file where a folder"),
        (["generate", "--prompt", "x", "--out", "file/o"], "there is a file where a folder is"),
        (
            ["generate", "--prompt", "x", "--view", "dir", "--out", "o"],
            "dir is a folder, not a file",
        ),
        (["rerun", "file"], "file is no result of Underpaint"),
        (["rerun", "dir"], "dir is a folder, not a file"),
        (["generate", "--prompt", "a", "b", "--out", "o"], "`b` is more than `underpaint gen"),
        (["generate", "-p", "a", "--out", "o"], "-p is no option"),
        (["render", "dir", "--prompt", "x", "--out", "o"], "dir is a folder"),
        (["config", "get", "gpu", "cpu"], "config get: too many words"),
        (["config", "path", "gpu"], "config path: too many words"),
        (["daemon", "logs", "--lines", "0"], "--lines is 0; expected 1 or more"),
        (["models", "add", "file"], "file is no model"),
    ],
)
def test_what_is_not_what_was_meant_is_told(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path / "data"))
    Path("file").write_text("no file of ours")
    Path("dir").mkdir()
    run = back if words[:2] == ["models", "add"] else front
    assert run([*words, "--json"]) == Exit.BAD_INPUT
    told = capsys.readouterr()
    assert said in json.loads(told.out)["error"]["message"]
    assert "Errno" not in told.err
    assert "Expecting" not in told.err


def test_one_mesh_that_fails_tells_its_error_as_every_command_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path / "data"))
    words = ["texture", "nowhere.obj", "--prompt", "x", "--out", "o", "--json"]
    assert back(words) == Exit.BAD_INPUT
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == told["assets"][0]["error"]


@posix
@pytest.mark.parametrize(
    "words", [["rerun", "/dev/zero"], ["generate", "--prompt=x", "--out=o", "--view", "/dev/zero"]]
)
def test_what_has_no_end_is_not_read(words: list[str], capsys) -> None:
    assert front(words) == Exit.BAD_INPUT
    assert "/dev/zero is no file" in capsys.readouterr().err


def test_help_of_a_command_can_be_asked_for_as_elsewhere(capsys) -> None:
    for words in (["help"], ["help", "generate"]):
        with pytest.raises(SystemExit) as ended:
            front(words)
        assert ended.value.code == 0
        assert f"usage: {' '.join(['underpaint', *words[1:]])}" in capsys.readouterr().out
