"""A painted mesh as files that any program opens: OBJ with MTL, glb, and, through a Blender, FBX
and what only Blender could read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from underpaint.blenders import Blender
from underpaint.errors import ErrorCode, RequestError, UnderpaintError, why
from underpaint.files.saving import write_whole

from ..meshes.compare import Kept, kept
from ..meshes.files import MeshFile
from ..meshes.gltf.new import new_glb
from ..meshes.gltf.paint import PaintedGltf, paint_gltf
from ..meshes.obj_materials import cuts_of, kept_lines
from ..meshes.obj_write import write_obj
from ..meshes.wear import Wear
from .assets import a_blender, run_script


@dataclass(slots=True)
class Exported:
    """files: what was written. problems: what was not, and why. kept: what the worst of the files
    that can be read back has kept of the mesh."""

    files: list[Path] = field(default_factory=list)
    problems: list[UnderpaintError] = field(default_factory=list)
    kept: Kept | None = None

    def look(self, file: MeshFile, worn: Wear, out: Path) -> None:
        """Measure one written file."""
        found = kept(file, worn, out)
        if self.kept is None or found.worse_than(self.kept):
            self.kept = found


def export(
    file: MeshFile, worn: Wear, folder: Path, kinds: Sequence[str], blender: Blender | None = None
) -> Exported:
    """Write the mesh that wears its paint into a folder, as .obj and each of `kinds`. What fails
    does not stop the rest, and is told. Raises OSError when the folder takes no files."""
    done = Exported()
    path = folder / f"{file.path.stem}.obj"
    try:
        done.files += write_obj(file.polygons, worn, path, file.obj, _kept(file, path))
        done.look(file, worn, path)
    except UnderpaintError as error:
        done.problems.append(_told(path, error))
    if file.slots:
        outs = [folder / f"{file.path.stem}.{kind}" for kind in kinds]
        _by_blender(done, outs, {"source": str(file.path.resolve()), "slots": file.slots}, worn)
        return done
    glb = folder / f"{file.path.stem}.glb"
    if "glb" in kinds:
        _glb(done, file, worn, glb)
    if "fbx" in kinds:
        _fbx(done, file, worn, glb.with_suffix(".fbx"), blender)
    return done


def _kept(file: MeshFile, out: Path) -> Mapping[str, Sequence[str]]:
    """The lines of the artist's own materials, of an OBJ file."""
    return {} if file.obj is None else kept_lines(file.path, file.obj, out)


def _glb(done: Exported, file: MeshFile, worn: Wear, out: Path) -> None:
    try:
        write_whole(out, painted_glb(file, worn).added.file())
        done.files.append(out)
        done.look(file, worn, out)
    except UnderpaintError as error:
        done.problems.append(_told(out, error))


def painted_glb(file: MeshFile, worn: Wear) -> PaintedGltf:
    """The mesh as a painted glTF: the artist's own file, or a new one."""
    if file.gltf is not None:
        return paint_gltf(*file.gltf, worn)
    here = Path.cwd()
    return new_glb(file.polygons, worn, file.up, cuts_of(_kept(file, here / "mesh.obj"), here))


def _fbx(done: Exported, file: MeshFile, worn: Wear, out: Path, blender: Blender | None) -> None:
    """Blender makes an FBX of the painted glTF; it finds the materials by names given for this."""
    painted = painted_glb(file, worn)
    names = []
    for number, tile in painted.materials.items():
        material = painted.added.doc["materials"][number]
        names.append((f"underpaint_{number}", str(material.get("name", "painted")), str(tile)))
        material["name"] = f"underpaint_{number}"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{file.path.stem}.glb"
        source.write_bytes(painted.added.file())
        _by_blender(done, [out], {"source": str(source), "materials": names}, worn, blender)


def _by_blender(
    done: Exported,
    outs: Sequence[Path],
    job: dict[str, Any],
    worn: Wear,
    blender: Blender | None = None,
) -> None:
    if not outs:
        return
    try:
        write_scenes(job, worn, outs, blender)
        done.files += outs
    except (OSError, UnderpaintError) as error:
        done.problems.append(_told(outs[0], error))


def write_scenes(
    job: dict[str, Any], worn: Wear, outs: Sequence[Path], blender: Blender | None = None
) -> None:
    """Write `outs` (.glb, .fbx) through a Blender (the newest, if none is given).

    job: `source` and what in it wears paint, as textured_glb_cli.py wants it. Raises
    RequestError: BLENDER_MISSING, or FILE when Blender fails.
    """
    blender = blender or a_blender()
    if blender is None:
        raise RequestError(
            ErrorCode.BLENDER_MISSING, f"no Blender was found, which {outs[0].name} needs"
        )
    textures = {
        str(number): {name: str(image.resolve()) for name, image in maps.items()}
        for number, maps in worn.images.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "job.json"
        file.write_text(json.dumps({**job, "textures": textures}), encoding="utf-8")
        words = [word for out in outs for word in ("--out", str(out.resolve()))]
        run_script(blender, "textured_glb_cli.py", ["--job", str(file), *words])


def _told(out: Path, error: OSError | UnderpaintError) -> UnderpaintError:
    if isinstance(error, UnderpaintError):
        told = f"{out.name} was not written: {error.message}"
        return RequestError(error.code, told, hint=error.hint)
    return RequestError(ErrorCode.FILE, f"{out.name} was not written: {why(error)}")
