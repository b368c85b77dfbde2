"""The frames of a .blend, captured as they are asked for by one Blender without a window."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..blenders import Blender, addon_folder
from ..buffers import Buffers
from ..errors import ErrorCode, RequestError
from ..files.viewfile import SceneObject, load_objects, load_sights, load_view
from ..following.sights import Sighted, Sights
from ..requests import View
from .tracks import Shape, Track, load_track

PREFIX = "underpaint: "
_SCRIPT = Path("scripts", "animation_cli.py")


@dataclass(frozen=True, slots=True)
class Scene:
    """The file's own range, the frame that it was saved at, frames a second."""

    first: int
    last: int
    present: int
    fps: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A captured frame. `numbers`: the scene's custom properties that are numbers. `objects`: those
    that it shows, by their numbers in it; `sights`: what else it shows."""

    view: View
    buffers: Buffers
    track: Track
    numbers: dict[str, float]
    objects: Mapping[int, SceneObject] = field(default_factory=dict)
    sights: Sights = field(default_factory=Sights)

    @property
    def sighted(self) -> Sighted:
        """It by what can be followed."""
        camera, ids = self.view.camera, self.view.object_id
        shown = None if ids is None else self.buffers[ids.sha256]
        names = {number: one.name for number, one in self.objects.items()}
        return Sighted((camera.width, camera.height), self.sights, shown, names)


class SceneCaptures:
    """A Blender with a scene. Close it, or use it as a context. Methods raise
    RequestError(CAPTURE_FAILED, FILE) with Blender's reason."""

    def __init__(self, blender: Blender, blend: Path | None, camera: str | None = None) -> None:
        """`blend`: None is the demo scene, set into motion."""
        addon = addon_folder()
        if addon is None:
            raise RequestError(
                ErrorCode.BLENDER_MISSING,
                "scenes are captured by the add-on's scripts, which the daemon's package carries",
                hint="Install underpaint-daemon beside this.",
            )
        words = ["--demo"] if blend is None else ["--blend", str(blend.absolute())]
        words += [] if camera is None else ["--camera", camera]
        self._folder = tempfile.TemporaryDirectory(prefix="underpaint-frames-")
        self._said = Path(self._folder.name, "stderr.txt")
        self._shapes: dict[str, Shape] = {}
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                blender.command(addon / _SCRIPT, words),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        with ExitStack() as undo:
            undo.callback(self.close)
            facts = self._answer()
            undo.pop_all()
        first, last = facts["frames"]
        self.scene = Scene(first, last, facts["present"], facts["fps"])

    def take(self, frame: int, width: int, height: int) -> Taken:
        """Capture one frame."""
        folder = Path(self._folder.name)
        view_file, track_file = folder / "view.npz", folder / "track.npz"
        asked = {"frame": frame, "width": width, "height": height}
        answer = self._ask(asked | {"view": str(view_file), "track": str(track_file)})
        buffers = Buffers()
        view = load_view(view_file, buffers)
        return Taken(
            view,
            buffers,
            load_track(track_file, self._shapes),
            answer["numbers"],
            load_objects(view_file),
            load_sights(view_file),
        )

    def movie(self, path: Path, pictures: Sequence[Path], fps: float) -> bool:
        """Encode pictures; False when this Blender has no encoder."""
        named = [str(picture.absolute()) for picture in pictures]
        answer = self._ask({"movie": str(path.absolute()), "pictures": named, "fps": fps})
        return bool(answer["movie"])

    def close(self) -> None:
        """End Blender."""
        stdin, stdout = self._streams()
        stdin.close()
        self._process.terminate()
        self._process.wait()
        stdout.close()
        self._folder.cleanup()

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        stdin, _ = self._streams()
        try:
            stdin.write(json.dumps(asked) + "\n")
            stdin.flush()
        except OSError as error:
            raise self._gone() from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        _, stdout = self._streams()
        for line in stdout:
            if line.startswith(PREFIX):
                answer: dict[str, Any] = json.loads(line.removeprefix(PREFIX))
                if "code" in answer:
                    raise RequestError(ErrorCode(answer["code"]), answer["message"])
                return answer
        raise self._gone()

    def _gone(self) -> RequestError:
        said = self._said.read_text(encoding="utf-8", errors="replace").strip()
        tail = "\n".join(said.splitlines()[-5:])
        return RequestError(ErrorCode.CAPTURE_FAILED, f"Blender ended while capturing: {tail}")

    def _streams(self) -> tuple[IO[str], IO[str]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        return stdin, stdout
