"""Build the Blender extension: dist/underpaint-VERSION.zip, with its wheels inside.

    python installers/build_extension.py                    for this machine
    python installers/build_extension.py --platforms all    for every platform, in one zip and each

pyzmq and msgpack come from the package index (kept in the user's cache); `underpaint` is the
released wheel, built from protocol/, and the daemon's one from daemon/: Install takes it and pip
from the zip, and from the package index only what others publish. Blender's own
`extension build` checks and zips it all where a Blender is at hand.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import build_wheels
from build_wheels import BuildError

ROOT = Path(__file__).resolve().parent.parent
ADDON = ROOT / "blender_addon"
MANIFEST = "blender_manifest.toml"
PYTHONS = ("3.11", "3.13")
"""Blender 4.2 to 5.0 have Python 3.11, 5.1 and 5.2 have 3.13."""
_PINNED = ("pyzmq", "msgpack")
_SKIPPED = shutil.ignore_patterns("__pycache__", "*.py[cod]", "wheels", "scripts", ".*")
# `scripts` are for a Blender without the add-on, run from a checkout.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Platform:
    """`name`: Blender's word. `tags`: pip's platform tags, newest first."""

    name: str
    tags: tuple[str, ...]


_GLIBC = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_26", "manylinux_2_17", "manylinux2014")
PLATFORMS = (
    Platform("linux-x64", tuple(f"{tag}_x86_64" for tag in _GLIBC)),
    Platform("windows-x64", ("win_amd64",)),
    Platform("windows-arm64", ("win_arm64",)),
    Platform("macos-arm64", ("macosx_11_0_arm64", "macosx_10_15_universal2")),
    Platform("macos-x64", ("macosx_10_15_x86_64", "macosx_10_15_universal2", "macosx_10_9_x86_64")),
)
_MACHINES = {
    ("Linux", "x86_64"): "linux-x64",
    ("Windows", "AMD64"): "windows-x64",
    ("Windows", "ARM64"): "windows-arm64",
    ("Darwin", "arm64"): "macos-arm64",
    ("Darwin", "x86_64"): "macos-x64",
}


def build(platforms: tuple[Platform, ...], out: Path, cache: Path) -> list[Path]:
    """Build the zip (and one for each platform when there are several); the paths."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="underpaint-extension-") as folder:
        stage = Path(folder) / "underpaint"
        shutil.copytree(ADDON, stage, ignore=_SKIPPED)
        shutil.copy(ROOT / "installers" / "constraints.txt", stage / "install")
        wheels = stage / "wheels"
        wheels.mkdir()
        for wheel in third_party_wheels(platforms, cache):
            shutil.copy(wheel, wheels)
        build_wheels.build_wheel("underpaint", wheels)
        # Install puts it into the daemon's own Python; Blender, which reads the manifest, does not.
        build_wheels.build_wheel("underpaint-daemon", stage / "install" / "packages")
        shutil.copy(pip_wheel(cache), stage / "install" / "packages")
        complete_manifest(stage, platforms)
        target = out / f"underpaint-{version()}.zip"
        return zip_extension(stage, target, split=len(platforms) > 1)


def version() -> str:
    """The project's version; the manifest must say the same."""
    found = build_wheels.version()
    told = tomllib.loads((ADDON / MANIFEST).read_text())["version"]
    if found != told:
        raise BuildError(f"pyproject.toml says {found}, {MANIFEST} says {told}: make them equal")
    return found


def third_party_wheels(platforms: tuple[Platform, ...], cache: Path) -> list[Path]:
    """The pinned wheels for each platform and each of Blender's Pythons."""
    found: dict[str, Path] = {}
    for target in platforms:
        for python in PYTHONS:
            folder = cache / "wheels" / target.name / python
            for path in _wheels_of(folder) or _download(target, python, folder):
                found[path.name] = path
    return [found[name] for name in sorted(found)]


def _wheels_of(folder: Path) -> list[Path]:
    """What an earlier build fetched, if it is just what is pinned."""
    names = [requirement.replace("==", "-") for requirement in pins()]
    paths = [path for name in names for path in folder.glob(f"{name}-*.whl")]
    return paths if len(paths) == len(names) else []


def _download(target: Platform, python: str, folder: Path) -> list[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    platform_words = [word for tag in target.tags for word in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--no-deps", "--python-version", python]
    command += [*platform_words, "--dest", str(folder), *pins()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(
            f"no wheels for {target.name}, Python {python}:\n{done.stderr.strip()}\n"
            "Check the network; what was fetched before is kept."
        )
    return _wheels_of(folder)


def pip_wheel(cache: Path) -> Path:
    """The pip that Install works with: not every Blender's Python can make one of its own."""
    folder, (pin,) = cache / "wheels" / "any", pins("pip")
    found = list(folder.glob(f"{pin.replace('==', '-')}-*.whl"))
    if found:
        return found[0]
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--no-deps", "--dest", str(folder), pin]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"no wheel of {pin}:\n{done.stderr.strip()}\nCheck the network.")
    return pip_wheel(cache)


def pins(*names: str) -> list[str]:
    """`name==version` of what is bundled, from installers/constraints.txt."""
    lines = (ROOT / "installers" / "constraints.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.partition("==")[0] in (names or _PINNED)]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def complete_manifest(stage: Path, platforms: tuple[Platform, ...]) -> None:
    """Write the platforms and wheels into the staged manifest, before its first table."""
    wheels = sorted(path.name for path in (stage / "wheels").glob("*.whl"))
    lines = ["platforms = [", *(f'  "{p.name}",' for p in platforms), "]"]
    lines += ["wheels = [", *(f'  "./wheels/{name}",' for name in wheels), "]"]
    manifest = stage / MANIFEST
    head, table, rest = manifest.read_text().partition("[permissions]")
    manifest.write_text(f"{head}" + "\n".join(lines) + f"\n\n{table}{rest}")


def zip_extension(stage: Path, target: Path, *, split: bool) -> list[Path]:
    """Blender's own builder where there is one, else the same content by zipfile."""
    builder = find_builder()
    if builder is None:
        _zip(stage, target)
        return [target]
    _run_builder(builder, stage, "--output-filepath", str(target))
    _run_builder(builder, None, str(target))
    if not split:
        return [target]
    _run_builder(builder, stage, "--output-dir", str(target.parent), "--split-platforms")
    return [target, *sorted(target.parent.glob(f"{target.stem}-*.zip"))]


def _run_builder(builder: list[str], stage: Path | None, *words: str) -> None:
    action = ["validate"] if stage is None else ["build", "--source-dir", str(stage)]
    command = [*builder, *action, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"Blender refuses the extension:\n{done.stdout}{done.stderr}")


def find_builder() -> list[str] | None:
    """The command of Blender's extension tool: from a bpy environment, or Blender on PATH."""
    pattern = "*/lib/python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    tools = sorted((ROOT / ".blender").glob(pattern), reverse=True)
    if tools:
        return [sys.executable, str(tools[0])]
    blender = os.environ.get("UNDERPAINT_BLENDER_APP") or shutil.which("blender")
    return [blender, "--command", "extension"] if blender else None


def _zip(stage: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(stage.rglob("*")):
            if path.is_file():
                archive.writestr(_entry(path.relative_to(stage).as_posix()), path.read_bytes())


def chosen_platforms(words: list[str]) -> tuple[Platform, ...]:
    """Platforms by Blender's names; `here` is this machine, `all` is every one."""
    if "all" in words:
        return PLATFORMS
    here = _MACHINES.get((platform.system(), platform.machine()))
    wanted = {here if word == "here" else word for word in words}
    chosen = tuple(p for p in PLATFORMS if p.name in wanted)
    if len(chosen) != len(wanted):
        known = ", ".join(p.name for p in PLATFORMS)
        raise BuildError(f"unknown platform in {' '.join(words)}; known: here, all, {known}")
    return chosen


def user_cache() -> Path:
    """Where wheels are kept between builds."""
    sys.path.insert(0, str(ROOT / "protocol"))
    from underpaint.paths import user_paths

    return user_paths().cache


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--platforms", nargs="+", default=["here"], help="here, all, or names")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    args = parser.parse_args()
    try:
        for path in build(chosen_platforms(args.platforms), args.out, user_cache()):
            print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    except BuildError as error:
        print(f"underpaint: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
