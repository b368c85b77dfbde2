"""The Python environments of Underpaint: one for the daemon, one for each Blender. Stdlib only."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ticking import ticking

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "installers" / "constraints.txt"
PACKAGES = (ROOT / "protocol", ROOT / "daemon", ROOT / "daemon" / "underpaint_starter")
"""What users get. The folder of the repository itself is the package of its developers' tools."""
TORCH = "torch==2.13.0"
WINDOWS = sys.platform == "win32"


class InstallError(Exception):
    """An installation step failed; the message says which, why and how to mend it."""


@dataclass(frozen=True)
class Blender:
    """A Blender as a Python module: `series` names its folder, `python` is what it needs."""

    series: str
    bpy: str
    python: tuple[int, int]


BLENDERS = (
    Blender("4.2", "4.2.23", (3, 11)),
    Blender("4.5", "4.5.15", (3, 11)),
    Blender("5.2", "5.2.3", (3, 13)),
)
NEXT = Blender("next.version", "", (3, 13))
"""The newest that can be had, alphas too: whatever version that is by then."""


def say(text: str) -> None:
    print(f"underpaint: {text}", flush=True)


def venv_python(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if WINDOWS else "bin/python")


def install_daemon(*, dev: bool = False) -> Path:
    """Make or refresh `.venv` with client, daemon and starter, and with the tools of those who
    work on them where `dev`; its Python."""
    folder = ROOT / ".venv"
    python = venv_python(folder)
    packages = [*PACKAGES, *([ROOT] if dev else [])]
    inputs = [package / "pyproject.toml" for package in (*PACKAGES, ROOT)]
    stamp = Stamp(folder, "daemon,dev" if dev else "daemon", [*inputs, CONSTRAINTS])
    if stamp.holds():
        return python
    began = time.monotonic()
    if not python.exists():
        say(f"making {folder.name} with Python {sys.version.split()[0]}")
        run([sys.executable, "-m", "venv", str(folder)], "make a virtual environment")
    installer = Installer(python)
    say("installing PyTorch (the largest part: 1 GB, several with CUDA; minutes on a slow line)")
    installer.install(*_torch_arguments(installer))
    say("installing diffusers, ZeroMQ and the rest (300 MB)")
    editable = [word for package in packages for word in ("-e", str(package))]
    installer.install("-c", str(CONSTRAINTS), *editable)
    # Its own requirements would bring a torchvision that breaks diffusers on CPU builds of torch.
    installer.install("--no-deps", "-c", str(CONSTRAINTS), "controlnet-aux")
    say("importing it once, so that it starts quickly (half a minute)")
    _import_once(python)
    stamp.write()
    say(f"{folder.name} is ready after {time.monotonic() - began:.0f} s")
    return python


def _import_once(python: Path) -> None:
    """Compile what a worker imports: uv leaves it to each first import, and where nothing may be
    written (a shared folder, PYTHONDONTWRITEBYTECODE) every start would cost 15 seconds more."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    worker = "underpaint_daemon.worker"
    modules = f"import {worker}.main, {worker}.dispatch, {worker}.texturing.job.runner"
    run([str(python), "-c", modules], "import what was installed", environ)


def install_blender(blender: Blender) -> Path | None:
    """Make or refresh `.blender/<series>`; its Python, or None where that Python is missing.
    Without a version of bpy: the newest, alphas too."""
    folder = ROOT / ".blender" / blender.series
    python = venv_python(folder)
    stamp = Stamp(folder, f"bpy {blender.bpy} 2", [CONSTRAINTS])
    if stamp.holds():
        return python
    base = find_python(blender.python) or _fetch_python(blender.python)
    if base is None:
        version = ".".join(map(str, blender.python))
        say(
            f"Blender {blender.series} needs Python {version}, which was not found: left out. "
            f"Install Python {version} and run this again"
        )
        return None
    say(f"installing Blender {blender.series} as a Python module (350 MB)")
    if not python.exists():
        run([str(base), "-m", "venv", str(folder)], "make a virtual environment")
    # Blender's own numpy is the one that counts, so no constraint on it here.
    bpy = [f"bpy=={blender.bpy}"] if blender.bpy else ["--pre", "--upgrade", "bpy"]
    Installer(python).install(*bpy, "numpy", "pyzmq==27.3.0", "msgpack==1.2.4")
    stamp.write()
    return python


class Installer:
    """Installs packages with uv where it can be had, with pip where it cannot."""

    def __init__(self, python: Path) -> None:
        self._python = str(python)
        self._uv = shutil.which("uv") or self._fetch_uv()
        self._environ = {**os.environ, **_pip_settings()}

    @property
    def uses_uv(self) -> bool:
        return self._uv is not None

    @property
    def find_links(self) -> list[Path]:
        return [Path(p) for p in self._environ.get("UV_FIND_LINKS", "").split(",") if p]

    def install(self, *arguments: str) -> None:
        if self._uv is None:
            command = [self._python, "-m", "pip", "install", "-q", *arguments]
        else:
            command = [self._uv, "pip", "install", "-q", "--python", self._python, *arguments]
        run(command, f"install {' '.join(arguments)}", self._environ)

    def _fetch_uv(self) -> str | None:
        bin_folder = Path(self._python).parent
        uv = bin_folder / ("uv.exe" if WINDOWS else "uv")
        if not uv.exists():
            fetch = [self._python, "-m", "pip", "install", "-q", "uv"]
            subprocess.run(fetch, capture_output=True, check=False)
        return str(uv) if uv.exists() else None


class Stamp:
    """Says whether an environment was finished with just these inputs."""

    def __init__(self, folder: Path, what: str, inputs: list[Path]) -> None:
        self._file = folder / "underpaint-installed.json"
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
        self._wanted = {"what": what, "inputs": digest}

    def holds(self) -> bool:
        if not self._file.exists():
            return False
        found = json.loads(self._file.read_text())
        enough = set(self._wanted["what"].split(",")) <= set(found["what"].split(","))
        return bool(enough and found["inputs"] == self._wanted["inputs"])

    def write(self) -> None:
        self._file.write_text(json.dumps(self._wanted))


def find_python(version: tuple[int, int]) -> Path | None:
    """An interpreter of just this version: this one, pyenv's, on PATH, or of the `py` launcher."""
    if sys.version_info[:2] == version:
        return Path(sys.executable)
    name = f"python{version[0]}.{version[1]}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = sorted(pyenv.glob(f"{version[0]}.{version[1]}*/bin/python3"), reverse=True)
    if found := shutil.which(name):
        candidates.append(Path(found))
    if WINDOWS and shutil.which("py"):
        asked = ["py", f"-{version[0]}.{version[1]}", "-c", "import sys; print(sys.executable)"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        candidates += [Path(done.stdout.strip())] if done.returncode == 0 else []
    return next((path for path in candidates if _is_version(path, version)), None)


def find_newer_python() -> Path | None:
    """The newest interpreter of this machine that Underpaint runs on, 3.14 to 3.11."""
    versions = [(3, minor) for minor in (14, 13, 12, 11)]
    return next((path for version in versions if (path := find_python(version))), None)


def _fetch_python(version: tuple[int, int]) -> Path | None:
    """An interpreter that uv brings, where uv is and may download."""
    uv = shutil.which("uv") or next((ROOT / ".venv").glob("*/uv*"), None)
    if uv is None:
        return None
    name = ".".join(map(str, version))
    fetch = [uv, "python", "install", "-q", name]
    fetched = subprocess.run(fetch, capture_output=True, check=False)
    if fetched.returncode != 0:
        return None
    asked = [uv, "python", "find", name]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    path = Path(told.stdout.strip())
    return path if told.returncode == 0 and _is_version(path, version) else None


def _is_version(python: Path, version: tuple[int, int]) -> bool:
    asked = [str(python), "-c", "import sys; print(*sys.version_info[:2])"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.split() == [str(part) for part in version]


def run(command: list[str], purpose: str, environ: dict[str, str] | None = None) -> None:
    """Run a step. Raises InstallError with the end of what it printed."""
    with ticking():
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise InstallError(
            f"could not {purpose} (exit code {done.returncode}):\n{tail}\n"
            "Check the network, a proxy (HTTPS_PROXY), free disk space "
            f"({shutil.disk_usage(ROOT).free // 2**30} GB free here), then run this again: "
            "finished steps are kept."
        )


def _pip_settings() -> dict[str, str]:
    """The user's pip configuration in uv's words; uv does not read pip's files."""
    asked = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    settings = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        name, text = key.rpartition(".")[2], value.strip().strip("'\"")
        if name == "find-links":
            settings["UV_FIND_LINKS"] = ",".join(text.split())
        elif name == "index-url":
            settings["UV_DEFAULT_INDEX"] = text
    return {name: text for name, text in settings.items() if name not in os.environ}


def _torch_arguments(installer: Installer) -> list[str]:
    """A wheel that the user's pip configuration offers comes first; else the build for the
    hardware, which uv knows how to find."""
    offered = any(list(folder.glob("torch-2.13.0*.whl")) for folder in installer.find_links)
    if offered or not installer.uses_uv:
        return [TORCH]
    return ["--torch-backend=auto", TORCH]
