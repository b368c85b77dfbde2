"""Finding the Blenders of this machine: executables, and Pythons that have `bpy`."""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import ErrorCode, RequestError
from .paths import home_folder

MINIMUM = (4, 2)
_PROBE_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Blender:
    """A Blender that can run scripts. `version` like "4.2.23"; `executable` a Blender program,
    or a Python that has bpy (`is_python`)."""

    version: str
    executable: Path
    is_python: bool

    @property
    def series(self) -> str:
        """Major and minor, like "4.2"."""
        return ".".join(self.version.split(".")[:2])

    def command(self, script: Path, arguments: Sequence[str] = ()) -> list[str]:
        """The command line that runs `script` without a window. Both kinds hand the arguments
        over behind a `--`, see `script_arguments`."""
        if self.is_python:
            return [str(self.executable), str(script), "--", *arguments]
        options = ["--background", "--factory-startup", "--python-exit-code", "1", "--python"]
        return [str(self.executable), *options, str(script), "--", *arguments]


def script_arguments(argv: Sequence[str]) -> list[str]:
    """A script's own arguments: what stands behind `--`, or everything after the script."""
    return list(argv[argv.index("--") + 1 :]) if "--" in argv else list(argv[1:])


def find_blenders(environ: Mapping[str, str] | None = None) -> list[Blender]:
    """Every Blender ≥ 4.2 of this machine, one for each series, oldest first.

    Looked for, the first of a series wins: UNDERPAINT_BLENDER (a Blender program or a Python
    with bpy), UNDERPAINT_BLENDER_PYTHONS (Pythons with bpy, separated like PATH), the checkout's
    `.blender/X.Y`, this Python when it has bpy, `blender` on PATH, `usual_places`.
    """
    env = os.environ if environ is None else environ
    found: dict[str, Blender] = {}
    for executable in _candidates(env):
        blender = probe(executable)
        if blender is not None and _numbers(blender.version) >= MINIMUM:
            found.setdefault(blender.series, blender)
    return sorted(found.values(), key=lambda blender: _numbers(blender.version))


def looked_in(environ: Mapping[str, str] | None = None) -> list[str]:
    """Where `find_blenders` looks on this machine, in words and patterns."""
    env = os.environ if environ is None else environ
    return ["UNDERPAINT_BLENDER", "UNDERPAINT_BLENDER_PYTHONS", "PATH", *usual_places(env)]


def require_blenders(version: str | None = None) -> list[Blender]:
    """`find_blenders`, or only that of one series ("4.2") or exact version.

    Raises RequestError(BLENDER_MISSING) when there is none.
    """
    blenders = find_blenders()
    wanted = [b for b in blenders if version is None or version in (b.series, b.version)]
    if not wanted:
        which = "Blender 4.2 or newer" if version is None else f"Blender {version}"
        have = ", ".join(b.version for b in blenders) or "none"
        raise RequestError(
            ErrorCode.BLENDER_MISSING,
            f"no {which} was found (found: {have})",
            details={"looked": looked_in()},
        )
    return wanted


def probe(executable: Path) -> Blender | None:
    """What a program is: a Blender, a Python with bpy, or neither (None)."""
    if "python" in executable.name.lower():
        version = _installed_bpy(executable) or _ask(
            [str(executable), "-c", "import bpy; print('Blender', bpy.app.version_string)"]
        )
        return Blender(version, executable, True) if version else None
    version = _ask([str(executable), "--version"])
    return Blender(version, executable, False) if version else None


def checkout_root() -> Path | None:
    """The checkout that this package runs from, with `blender_addon/` in it; else None."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "blender_addon").is_dir() else None


def addon_folder() -> Path | None:
    """The add-on's sources, whose scripts a Blender runs for the command line: the checkout's, or
    those that the daemon's package carries."""
    root = checkout_root()
    if root is not None:
        return root / "blender_addon"
    daemon = importlib.util.find_spec("underpaint_daemon")
    places = (daemon.submodule_search_locations or ()) if daemon is not None else ()
    carried = (Path(place) / "for_blender" / "blender_addon" for place in places)
    return next((folder for folder in carried if folder.is_dir()), None)


def _candidates(env: Mapping[str, str]) -> Iterator[Path]:
    if env.get("UNDERPAINT_BLENDER"):
        yield Path(env["UNDERPAINT_BLENDER"])
    for entry in env.get("UNDERPAINT_BLENDER_PYTHONS", "").split(os.pathsep):
        if entry:
            yield Path(entry)
    root = checkout_root()
    if root is not None:
        for home in sorted((root / ".blender").glob("*.*")):
            yield from (p for p in (home / "bin/python", home / "Scripts/python.exe") if p.exists())
    if importlib.util.find_spec("bpy") is not None:
        yield Path(sys.executable)
    on_path = shutil.which("blender", path=env.get("PATH"))
    if on_path is not None:
        yield Path(on_path)
    for pattern in usual_places(env):
        yield from _matching(pattern)


def usual_places(env: Mapping[str, str], platform: str = sys.platform) -> list[str]:
    """Where Blender's installers, Steam, snap and flatpak put it: patterns of full paths."""
    home = str(home_folder(env))
    if platform == "win32":
        return _on_windows(env, home)
    if platform == "darwin":
        app = "Blender.app/Contents/MacOS/Blender"
        return [
            f"/Applications/{app}",
            "/Applications/Blender*.app/Contents/MacOS/Blender",
            "/Applications/Blender*/Blender.app/Contents/MacOS/Blender",
            f"{home}/Applications/Blender*.app/Contents/MacOS/Blender",
            f"{home}/Library/Application Support/Steam/steamapps/common/Blender/{app}",
            f"/opt/homebrew/Caskroom/blender/*/{app}",
        ]
    steam = "steamapps/common/Blender/blender"
    return [
        "/snap/bin/blender",
        "/var/lib/flatpak/exports/bin/org.blender.Blender",
        f"{home}/.local/share/flatpak/exports/bin/org.blender.Blender",
        f"{home}/.local/share/Steam/{steam}",
        f"{home}/.steam/steam/{steam}",
        f"{home}/snap/steam/common/.local/share/Steam/{steam}",
        f"{home}/.var/app/com.valvesoftware.Steam/data/Steam/{steam}",
        "/opt/blender*/blender",
        "/usr/local/blender*/blender",
        f"{home}/blender*/blender",
        f"{home}/Downloads/blender-*/blender",
        f"{home}/Documents/blender/stable/*/blender",  # Blender Launcher's library
    ]


def _on_windows(env: Mapping[str, str], home: str) -> list[str]:
    roots = [env.get(name) for name in ("ProgramFiles", "ProgramW6432", "ProgramFiles(x86)")]
    programs = list(dict.fromkeys(root for root in roots if root)) or ["C:/Program Files"]
    local = env.get("LOCALAPPDATA") or f"{home}/AppData/Local"
    return [
        *(f"{root}/Blender Foundation/Blender*/blender.exe" for root in programs),
        *(f"{root}/Steam/steamapps/common/Blender/blender.exe" for root in programs),
        f"{local}/Programs/Blender Foundation/Blender*/blender.exe",
        f"{local}/Microsoft/WindowsApps/blender*.exe",
        f"{home}/scoop/apps/blender/current/blender.exe",
        f"{home}/Downloads/blender-*/blender.exe",
    ]


def _matching(pattern: str) -> list[Path]:
    """The programs of a pattern, the newest name first."""
    return [Path(found) for found in sorted(glob.glob(pattern), reverse=True)]


def _installed_bpy(python: Path) -> str | None:
    """The version of an environment's bpy from its metadata: importing bpy takes seconds."""
    # The environment's own folder, not that of the interpreter behind the link.
    home = python.absolute().parent.parent
    for pattern in ("lib/python*/site-packages", "Lib/site-packages"):
        for info in sorted(home.glob(f"{pattern}/bpy-*.dist-info")):
            return info.name.removeprefix("bpy-").removesuffix(".dist-info")
    return None


def _ask(command: list[str]) -> str | None:
    import subprocess  # most meshes need no Blender

    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = done.stdout.decode("utf-8", "replace")
    match = re.search(r"^Blender (\d+\.\d+\.\d+)", said, re.MULTILINE)
    return match.group(1) if match and done.returncode == 0 else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
