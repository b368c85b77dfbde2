"""Every command ends alike: exit codes by one table, errors in words and in JSON, no traceback."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from underpaint.cli.guard import Exit, exit_code, guarded
from underpaint.cli.main import main as front
from underpaint.cli.output import print_error
from underpaint.errors import ErrorCode, RequestError, error_from_dict

from helpers.processes import run_module as run

CLIENT, DAEMON = "underpaint.cli.main", "underpaint_daemon"


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (CLIENT, ("generate", "--steps", "many", "--prompt", "x", "--out", "o")),
        (CLIENT, ("generate", "--out", "o")),
        (CLIENT, ("paint",)),
        (CLIENT, ("rerun", "nowhere.png")),
        (CLIENT, ("config", "get", "colour")),
        (DAEMON, ("bench", "daemon", "--runs", "many")),
        (DAEMON, ("serve", "--idle-exit", "soon")),
        (DAEMON, ("serve", "--runner", "nope")),
        (DAEMON, ("serve", "--runner", "nowhere.at_all:build_runner")),
    ],
)
def test_bad_input_is_2_with_a_fix_and_one_json_object(
    module: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    done = run(module, *words, "--json", UNDERPAINT_DATA=str(tmp_path))
    assert done.returncode == Exit.BAD_INPUT, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert "\nfix:   " in done.stderr
    assert json.loads(done.stdout)["error"]["hint"]


def test_help_begins_with_what_must_be_given_and_examples(capsys) -> None:
    for command in ("generate", "render", "upscale", "models", "jobs", "daemon", "config"):
        with pytest.raises(SystemExit):
            front([command, "--help"])
        told = capsys.readouterr().out
        usage, _, rest = told.partition("\n")
        assert usage.startswith(f"usage: underpaint {command}")
        assert rest.lstrip().startswith("examples:\n")
        assert rest.index("examples:") < rest.index("\n  -h, --help")
        assert max(map(len, told.splitlines())) <= 120


def test_a_word_with_a_dash_that_belongs_to_an_option_is_no_misspelling(capsys) -> None:
    words = ["generate", "--prompt=--moss--", "--out", "o", "--steps", "many"]
    assert front(words) == Exit.BAD_INPUT
    assert "--steps: invalid int value: 'many'" in capsys.readouterr().err


def test_the_command_alone_shows_its_help_and_is_bad_input(capsys) -> None:
    assert front([]) == Exit.BAD_INPUT
    assert capsys.readouterr().err.startswith("usage: underpaint")


def test_a_program_that_calls_the_command_may_bring_streams_of_its_own(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert front(["config", "path"]) == 0
    assert out.getvalue().rstrip().endswith("config.toml")


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, ErrorCode.DISK_FULL), (errno.EACCES, ErrorCode.FILE)]
)
def test_what_the_system_refuses_of_a_file_is_told(number: int, code: ErrorCode, capsys) -> None:
    def write() -> int:
        raise OSError(number, os.strerror(number), "out/image_0.png")

    assert guarded(write, as_json=False) == exit_code(RequestError(code, ""))
    assert "out/image_0.png: " in capsys.readouterr().err


def test_the_table_is_in_the_help() -> None:
    told = run(CLIENT, "--help").stdout
    for code in Exit:
        assert f"\n{code.value} " in told


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_has_its_row(code: ErrorCode) -> None:
    row = exit_code(error_from_dict({"code": code.value}))
    if code is ErrorCode.CANCELLED:
        assert row is Exit.CANCELLED
    elif code in (ErrorCode.FILE, ErrorCode.BAD_MESH, ErrorCode.BAD_REQUEST):
        assert row is Exit.BAD_INPUT
    elif code in (ErrorCode.DISK_FULL, ErrorCode.DAEMON_ABSENT, ErrorCode.OUT_OF_MEMORY):
        assert row is Exit.FAILED


def test_a_file_in_the_folders_place_is_said(tmp_path: Path, capsys) -> None:
    (tmp_path / "out").write_text("")
    assert guarded(lambda: (tmp_path / "out").mkdir() or 0, as_json=True) == Exit.BAD_INPUT
    told = capsys.readouterr()
    assert str(tmp_path / "out") in json.loads(told.out)["error"]["message"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_is_130_and_no_traceback(tmp_path: Path) -> None:
    env = {**os.environ, "UNDERPAINT_DATA": str(tmp_path)}
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background
        "from underpaint.cli.guard import guarded\n"
        "def wait():\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "    return 0\n"
        "sys.exit(guarded(wait, as_json=False))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == Exit.CANCELLED
    assert said == b"cancelled\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("program", "late"),
    [
        ("underpaint.cli.main", "underpaint.cli.generate"),
        ("underpaint.cli.main", "underpaint.cli.guard"),
        ("underpaint_daemon.__main__", "underpaint.cli.guard"),
    ],
)
def test_ctrl_c_before_a_command_is_there_is_no_traceback_either(program: str, late: str) -> None:
    """While the commands are imported, which takes a part of a second."""
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Press:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {late!r}:\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Press())\n"
        f"from {program} import main\n"
        "sys.exit(main(['doctor']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert done.returncode == Exit.CANCELLED
    assert done.stderr == b"cancelled\n"


def test_a_picture_of_no_words_is_refused(tmp_path: Path, capsys) -> None:
    assert front(["generate", "--prompt", " ", "--out", str(tmp_path)]) == Exit.BAD_INPUT
    assert "--prompt is empty" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys\nfrom underpaint.cli.guard import guarded\n"
         "sys.exit(guarded(lambda: print('x' * 10**6) or 0, as_json=False))"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(300) == Exit.NO_READER
    assert said == b""


def test_a_terminal_of_another_encoding_shows_what_it_can() -> None:
    done = run(CLIENT, "rerun", "łódź ✓.png", PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert "d? ?.png cannot be read" in done.stderr
    assert done.returncode == Exit.BAD_INPUT
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said", "fix"),
    [
        (("generate", "--prompt", "x"), "--out", "See `underpaint generate --help`: usage: "),
        (
            ("generate", "--prompt", "x", "--out", "o", "--color", "red"),
            "--color is no option of `underpaint generate`",
            "See `underpaint generate --help`: usage: ",
        ),
        (("generate", "--promt", "x", "--out", "o"), "--promt is no option", "`--prompt`? "),
        (("generate", "--promt=x y", "--out", "o"), "--promt is no option", "`--prompt`? "),
        (("generat", "--prompt", "x"), "`generat` is nothing", "Did you mean `generate`? "),
        (("textur", "a.obj"), "`textur` is nothing", "Did you mean `texture`? "),
        (("stop",), "`stop` is nothing", "Did you mean `underpaint daemon stop`? "),
        (("models", "pul"), "`pul` is nothing", "Did you mean `pull`? "),
        (("daemon", "stat"), "it knows start, stop, status, logs", "Did you mean `status`? "),
        (("eval", "projecton"), "there are projection, sync", "Did you mean `projection`? "),
        (
            ("bench",),
            "underpaint bench: say what; there are transport",
            "`underpaint bench --help`",
        ),
        (
            ("generate", "--prompt", "x", "--out", "o", "--size", "0"),
            "--size is 0; expected",
            "512x",
        ),
        (("generate", "--prompt", "x", "--out", "o", "--size", "9x9"), "from 64 to 8192", "512x"),
        (("config", "set", "gpu"), "config set gpu: give a value", ""),
        (("config", "unset", "mood"), "'mood' is no setting", ""),
        (("config", "get"), "config get: which? known: idle_exit_minutes", ""),
        (("generate", "--prompt", "x", "--out", ""), "--out: the path is empty", ""),
        (("upscale", "nowhere.png", "--out", "o"), "cannot be read: No such file", ""),
        (("texture", "a.stl", "--prompt", "x", "--out", "o"), "kind that is not read", ".glb"),
        (("texture", "a.obj", "--csv", "t.csv", "--out", "o"), "--csv is for a folder", "folder"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_a_terminal(
    words: tuple[str, ...], said: str, fix: str, tmp_path: Path, capfd, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERPAINT_DATA", str(tmp_path / "data"))
    (tmp_path / "a.stl").write_text("solid\n")
    assert guarded(lambda: front(list(words)), as_json=False) == Exit.BAD_INPUT
    error, told = capfd.readouterr().err.split("\nfix:   ")
    assert said in error
    assert "Errno" not in error
    assert fix in told


def test_a_field_of_a_request_is_called_by_its_option(capsys) -> None:
    said = {"sampling.steps is -3; expected 1 to 200": "--steps is -3", "width is 1": "--size is 1"}
    for message, told in said.items():
        print_error(RequestError(ErrorCode.BAD_REQUEST, message), as_json=False)
        error, fix = capsys.readouterr().err.splitlines()
        assert error.startswith(f"error: {told}")
        assert fix == "fix:   Correct the option that the message names."
