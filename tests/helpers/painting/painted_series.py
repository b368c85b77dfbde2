"""An animation of the sliding card, painted by the tiny model."""

from __future__ import annotations

from underpaint.animation.asking import Asked
from underpaint.animation.folder import Folder, decoded
from underpaint.animation.scene_parts import Parts
from underpaint.animation.sequence import Animation, Plan
from underpaint.buffers import Buffers
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint.tree import buffer_refs

from .sliding_card import SIDE, take
from .studio import Recorder

FRAMES = (1, 2, 3)


class Stopped(Exception):
    """What a series ends by in the middle."""


class Series:
    """An animation of the sliding card in a folder; `asked` are the requests that it painted, at
    `most` so many before it is stopped."""

    def __init__(
        self, studio, root, digest="a", frames=FRAMES, words="grey", take=take, most=None, **fields
    ):
        self.asked, self.pictures, self._studio = [], [], studio
        self._most = most
        self.folder = Folder(root, digest)
        request = ImageRequest(
            Prompt(words),
            "tiny",
            SIDE,
            SIDE,
            Sampling(steps=2, seed=5),
            controls=fields.pop("controls", ()),
        )
        refresh, colours = fields.pop("refresh", 0.0), fields.pop("colours", None)
        parts = fields.pop("parts", Parts())
        asked = Asked(request, Buffers(), refresh, colours, parts)
        plan = Plan(asked, frames, (SIDE, SIDE), **fields)
        self.animation = Animation(plan, take, self._paint, self.folder)
        self.made = list(self.animation.frames())

    def _paint(self, request, buffers):
        if len(self.asked) == self._most:
            raise Stopped
        self.asked.append(request)
        self.pictures.append({ref.sha256: buffers[ref.sha256] for ref in buffer_refs(request)})
        artifacts = self._studio.runner(request, buffers, Recorder())
        return next(item.data for item in artifacts if item.media == "image/png")

    def bytes(self, frame):
        return self.folder.done(f"{frame:04d}")

    def picture(self, frame):
        return decoded(self.bytes(frame)).astype(int)
