"""A Blender with its window, for the window test: Debian's own, in its own folder. Linux, root.

    python installers/window_blender.py          makes it (some minutes, 1.9 GB in the user's cache)

Blender as a Python module has no window, no timers and no undo; this has. The program runs in a
chroot with mounts that end with it, on a virtual X display with Mesa's software renderer.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUITE = "trixie"
_PACKAGES = (
    *("ca-certificates", "blender", "python3-numpy"),
    *("libgl1", "libgl1-mesa-dri", "libegl1", "libglx-mesa0"),
)
_TOOLS = {"mmdebstrap": "mmdebstrap", "Xvfb": "xvfb", "unshare": "util-linux"}
_SCREEN = "1400x900x24"
_DISPLAY_S = 20


class WindowUnavailable(Exception):
    """This machine cannot run a Blender window; the message says why and what would mend it."""


def make(cache: Path) -> Path:
    """The root folder of the window Blender; made on first use."""
    _check_machine()
    root = cache / f"window-blender-{SUITE}"
    stamp = root / "complete"
    if stamp.exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    command = ["mmdebstrap", "--quiet", "--variant=apt", "--mode=root"]
    command += [f"--include={','.join(_PACKAGES)}"]
    command += ['--aptopt=APT::Install-Recommends "false"']
    command += ['--aptopt=Acquire::Check-Valid-Until "false"']
    done = subprocess.run(
        [*command, SUITE, str(root), _mirror()], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        shutil.rmtree(root, ignore_errors=True)
        raise WindowUnavailable(f"mmdebstrap failed:\n{done.stderr[-2000:]}")
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)
    stamp.touch()
    return root


def install_tools() -> None:
    """Install what the window test needs, where that may be done: as root on Debian or Ubuntu.
    Elsewhere one line says what is missing; the tests that need it are then counted as left out."""
    missing = [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    if not missing:
        return
    names = " ".join(missing)
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"underpaint: the window tests will be LEFT OUT: install {names}", flush=True)
        return
    print(f"underpaint: installing {names} for the window tests", flush=True)
    for command in (["update", "-qq"], ["install", "-y", "-qq", *missing]):
        words = ["apt-get", *command]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"underpaint: that failed:\n{done.stderr[-500:]}", flush=True)
            return


def run(
    root: Path,
    script: Path,
    arguments: list[str],
    *,
    binds: list[Path],
    env: dict[str, str],
    timeout: float,
    events: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run Blender with its window and a Python script that ends it; what it printed.

    `binds`: folders that it sees at the same place as here. UNDERPAINT_SCREEN tells the script the
    file that is the display's memory, in the XWD format. `events`: let the script press keys and
    buttons; Blender then never sleeps, which takes a whole processor from what paints.
    """
    words = ["blender", "--factory-startup", "--window-geometry", "0", "0", "1400", "900"]
    words += ["--enable-event-simulate"] if events else []
    words += ["--python", str(script), "--", *arguments]
    with (
        tempfile.TemporaryDirectory(prefix="underpaint-screen-") as memory,
        _display(memory) as display,
    ):
        binds = [*binds, Path(memory)]
        inside = {
            "DISPLAY": display,
            "UNDERPAINT_SCREEN": f"{memory}/Xvfb_screen0",
            "HOME": "/root",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "PATH": "/usr/bin:/bin",
            **env,
        }
        return subprocess.run(
            _in_chroot(root, words, binds, inside),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def _in_chroot(root: Path, words: list[str], binds: list[Path], env: dict[str, str]) -> list[str]:
    """One command; its mounts live in a namespace of their own and end with it."""
    lines = ["set -e", "mount --make-rprivate /"]
    lines += [f"mount -t proc proc {shlex.quote(str(root / 'proc'))}"]
    for source in (Path("/dev"), Path("/tmp/.X11-unix"), *binds):  # noqa: S108 (X's own place)
        target = shlex.quote(f"{root}{source}")
        lines += [f"mkdir -p {target}", f"mount --rbind {shlex.quote(str(source))} {target}"]
    settings = " ".join(shlex.quote(f"{key}={value}") for key, value in env.items())
    command = " ".join(map(shlex.quote, words))
    lines.append(f"exec chroot {shlex.quote(str(root))} env -i {settings} {command}")
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines)]


@contextmanager
def _display(memory: str) -> Iterator[str]:
    """A virtual X display that takes a free number by itself; its memory is a file in a folder."""
    read, write = os.pipe()
    words = ["Xvfb", "-displayfd", str(write), "-screen", "0", _SCREEN, "+extension", "GLX"]
    server = subprocess.Popen(
        [*words, "-nolisten", "tcp", "-fbdir", memory], pass_fds=(write,), stderr=subprocess.DEVNULL
    )
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise WindowUnavailable("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(_DISPLAY_S)


def _check_machine() -> None:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise WindowUnavailable("the window test needs Linux and root, for its chroot")
    missing = [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    if missing:
        raise WindowUnavailable(f"missing; install with apt-get: {' '.join(missing)}")


def _mirror() -> str:
    """The Debian mirror that this machine is set up to use."""
    folder = Path("/etc/apt")
    files = [*folder.glob("sources.list.d/*.sources"), *folder.glob("sources.list.d/*.list")]
    for file in [*sorted(files), folder / "sources.list"]:
        text = file.read_text() if file.exists() else ""
        found = re.search(r"^(?:URIs:|deb)\s.*?(https?://\S+/debian/?)(?:\s|$)", text, re.MULTILINE)
        if found:
            return found.group(1)
    raise WindowUnavailable("no Debian mirror in the apt sources; add one for `trixie`")


def user_cache() -> Path:
    """Where it is kept between runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("UNDERPAINT_CACHE") or home / "underpaint")


def main() -> int:
    began = time.monotonic()
    try:
        root = make(user_cache())
    except WindowUnavailable as error:
        print(f"underpaint: {error}", file=sys.stderr)
        return 1
    print(f"{root} ({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
