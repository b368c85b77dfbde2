"""The walls of the house: who may import whom."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import docs_reference
import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "diffusers", "transformers", "peft", "accelerate", "safetensors", "cv2", "scipy"}
BLENDER = {"bpy", "gpu", "mathutils", "bl_ext", "addon_utils", "bpy_extras", "gpu_extras"}
BPY_FILES = {
    line.strip()
    for line in (Path(__file__).parent / "bpy_files.txt").read_text().splitlines()
    if line.strip()
}
PACKAGES = {
    "underpaint": "protocol/underpaint",
    "underpaint_daemon": "daemon/underpaint_daemon",
    "underpaint_starter": "daemon/underpaint_starter",
    "blender_addon": "blender_addon",
}
_TEXTURING = "underpaint_daemon.worker.texturing"
NEVER = [
    ("underpaint.", ["underpaint_daemon", "underpaint_starter", "blender_addon"]),
    ("underpaint.wire", ["underpaint.conversation", "underpaint.client", "underpaint.cli"]),
    ("underpaint.conversation", ["underpaint.client", "underpaint.job", "underpaint.cli"]),
    ("underpaint_daemon.", ["underpaint_starter", "blender_addon"]),
    (
        "underpaint_daemon.common",
        ["underpaint_daemon.server", "underpaint_daemon.worker", "underpaint_daemon.tools"],
    ),
    ("underpaint_daemon.server", ["underpaint_daemon.worker", "underpaint_daemon.tools"]),
    ("underpaint_daemon.worker", ["underpaint_daemon.server", "underpaint_daemon.tools"]),
    ("underpaint_daemon.worker.pipelines", [_TEXTURING, "underpaint_daemon.worker.materials"]),
    ("underpaint_daemon.worker.materials", [_TEXTURING]),
    (
        f"{_TEXTURING}.surface",
        [f"{_TEXTURING}.{room}" for room in ("cameras", "projection", "views", "maps", "job")],
    ),
    (
        f"{_TEXTURING}.cameras",
        [f"{_TEXTURING}.{room}" for room in ("projection", "views", "maps", "job")],
    ),
    (f"{_TEXTURING}.projection", [f"{_TEXTURING}.{room}" for room in ("views", "maps", "job")]),
    (f"{_TEXTURING}.views", [f"{_TEXTURING}.job"]),
    (f"{_TEXTURING}.maps", [f"{_TEXTURING}.job"]),
    ("blender_addon.", ["underpaint_daemon", "underpaint_starter"]),
    ("blender_addon.link", [f"blender_addon.{room}" for room in ("ui", "operators", "layers")]),
]
"""Modules below the first name import nothing below the others, however the import is written."""
FULL_ROOM = 20
"""A folder with more Python files than this wants rooms."""
LONG_FILE = 300
"""A file with more lines than this wants to be several, each with a meaning of its own."""


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"no Python files in {folder}"
    return found


def dotted(path: Path) -> str:
    """The module's name; an `__init__` file is named as such, so that it counts as inside."""
    for package, folder in PACKAGES.items():
        if path.is_relative_to(ROOT / folder):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            return ".".join((package, *parts))
    raise AssertionError(path)


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Whole dotted names, relative imports resolved; `from a import b` gives `a.b`."""
    package = dotted(path).split(".")[:-1]
    return tuple(_names(ast.parse(path.read_text(encoding="utf-8")), package))


def _names(tree: ast.Module, package: list[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(start + ([node.module] if node.module else []))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def crossings(files: list[Path], forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in sorted(roots(path) & forbidden)
    ]


def within(name: str, room: str) -> bool:
    return name.startswith(room) if room.endswith(".") else f"{name}.".startswith(f"{room}.")


def ours() -> list[Path]:
    return [path for folder in PACKAGES.values() for path in modules(folder)]


@pytest.mark.parametrize(("room", "never"), NEVER, ids=[room for room, _ in NEVER])
def test_no_room_imports_from_a_floor_above_it(room: str, never: list[str]):
    inside = [path for path in ours() if within(dotted(path), room)]
    assert inside, f"nothing lives in {room}"
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in inside
        for name in imported(path)
        if any(within(name, forbidden) for forbidden in never)
    ]
    assert found == []


def test_torch_lives_in_the_worker_the_tools_and_the_starter_alone():
    torch_free = modules("protocol/underpaint")
    for room in ("server", "common", "tools/meshes", "tools/assets"):
        torch_free += modules(f"daemon/underpaint_daemon/{room}")
    assert crossings(torch_free, HEAVY | BLENDER) == []
    swatches = ROOT / "daemon/underpaint_starter/judging/swatches"  # run by Blender's own Python
    daemon = [path for path in modules("daemon") if not path.is_relative_to(swatches)]
    assert crossings(daemon, BLENDER) == []
    assert crossings(modules("daemon/underpaint_starter/judging/swatches"), HEAVY) == []


def test_the_addon_imports_blender_only_where_listed_and_nothing_heavy():
    files = modules("blender_addon")
    assert crossings(files, HEAVY | {"PIL"}) == []
    with_blender = {
        path.relative_to(ROOT / "blender_addon").as_posix()
        for path in files
        if BLENDER & roots(path)
    }
    assert with_blender == BPY_FILES


def test_no_two_files_import_each_other_in_a_circle():
    names = {dotted(path).removesuffix(".__init__"): path for path in ours()}
    arrows = {
        name: {found for found in map(str, imported(path)) if found in names and found != name}
        for name, path in names.items()
    }
    while leaves := [name for name, below in arrows.items() if not below & arrows.keys()]:
        for name in leaves:
            del arrows[name]
    assert arrows == {}, f"in circles, or above one: {sorted(arrows)}"


def test_no_room_is_overfull():
    rooms: dict[Path, int] = {}
    for path in [*ours(), *modules("tests"), *modules("installers")]:
        if path.name not in ("__init__.py", "conftest.py"):
            rooms[path.parent] = rooms.get(path.parent, 0) + 1
    full = {str(room.relative_to(ROOT)): count for room, count in rooms.items()}
    assert {room: count for room, count in full.items() if count > FULL_ROOM} == {}


def test_what_tests_share_is_the_package_of_helpers():
    """A conftest is no module to import from: two of them on one command line are one name."""
    found = [path for path in modules("tests") if path.name.startswith(("test_", "conftest"))]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in found}
    shared = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if getattr(node, "module", None) == "conftest"
        or (isinstance(node, ast.Expr) and ast.unparse(node).startswith("sys.path"))
    }
    assert shared == set()


def test_the_architecture_page_names_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", page))
    rooms = {path.parent for path in [*ours(), *modules("tests"), *modules("installers")]}
    unnamed = {str(room.relative_to(ROOT)) for room in rooms if room.name not in words}
    assert unnamed == set()


def test_no_file_is_too_long_to_be_read_at_one_sitting():
    written = [ROOT / folder for folder in (*PACKAGES.values(), "protocol", "installers", "tests")]
    files = {path for folder in written for path in folder.rglob("*.py")}
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    long = {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > LONG_FILE}
    assert long == {}


@pytest.mark.parametrize(
    "module",
    ["underpaint", "underpaint_daemon.__main__", "underpaint_daemon.tools.assets.cli"],
)
def test_starting_a_torch_free_process_really_loads_no_torch(module: str):
    code = (
        f"import sys, {module}; print(sorted(set({sorted(HEAVY | BLENDER)}) & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_torchvision_that_would_break_diffusers():
    code = "import importlib.util as u; print(u.find_spec('torchvision'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_nothing_unpickles_what_it_received():
    banned = {"pickle", "dill", "cloudpickle", "shelve", "marshal"}
    files = modules("protocol/underpaint") + modules("daemon") + modules("blender_addon")
    assert crossings(files, banned) == []
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert "recv_pyobj" not in text
    assert "trust_remote_code=True" not in text


@pytest.mark.parametrize("name", docs_reference.PAGES)
def test_the_reference_pages_are_the_code(name: str):
    """Without spaces: Pythons lay out their help differently."""
    written = (docs_reference.REFERENCE / name).read_text(encoding="utf-8")
    made = docs_reference.PAGES[name]()
    stale = "it is stale: run `python installers/docs_reference.py`"
    assert "".join(written.split()) == "".join(made.split()), stale
