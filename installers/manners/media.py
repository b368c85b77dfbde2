"""What is drawn and painted by hand, by the styles' names; see `looks`."""

from __future__ import annotations

import cv2
import numpy as np

from .looks import (
    BLACK,
    WHITE,
    Look,
    Pixels,
    Scene,
    coloured,
    flat,
    grey,
    hatching,
    lines,
    lit,
    mix,
    noise,
    pixels,
    richer,
    sky,
    smooth,
    strokes,
)

_PAPER, _INK = (0.97, 0.95, 0.9), (0.08, 0.07, 0.1)


def _oil(scene: Scene) -> Pixels:
    shaded = sky(scene, (0.35, 0.4, 0.5), (0.75, 0.66, 0.5))
    shaded = shaded * (0.5 + 0.6 * lit(scene, -0.6, 0.6, 0.4)[..., None])
    rich = mix(richer(smooth(shaded, 4), 1.2), _INK, lines(scene, 2, 9) * 0.6)
    painted = strokes(strokes(rich, 1600, 14, 5), 6000, 7, 2, seed=1)
    relief = cv2.Laplacian(cv2.GaussianBlur(grey(painted), (0, 0), 0.8), cv2.CV_32F)
    return pixels(np.clip(painted - relief[..., None] * 0.9, 0, 1))


def _watercolour(scene: Scene) -> Pixels:
    washed = mix(cv2.GaussianBlur(smooth(richer(scene.rgb, 1.2)), (0, 0), 2.5), WHITE, 0.35)
    washed = mix(washed, scene.rgb * 0.7, (noise(scene, 22) > 0.62) * 0.3 * scene.thing)
    edge = cv2.GaussianBlur(lines(scene, 2, 9), (0, 0), 0.8)
    there = cv2.GaussianBlur(scene.thing, (0, 0), 5) + noise(scene, 30, 2) * 0.5
    paper = mix(np.ones_like(washed) * _PAPER, washed, np.clip(there * 1.5 - 0.3, 0, 1))
    return mix(paper * (0.92 + 0.08 * noise(scene, 2)[..., None]), scene.rgb * 0.5, edge * 0.5)


def _gouache(scene: Scene) -> Pixels:
    return mix(flat(sky(scene, (0.6, 0.72, 0.72), (0.93, 0.88, 0.76)), 4), (0.9, 0.82, 0.7), 0.18)


def _ink_wash(scene: Scene) -> Pixels:
    light = cv2.GaussianBlur(lit(scene, -0.5, 0.6, 0.6) * 0.7 + grey(scene.rgb) * 0.4, (0, 0), 2.5)
    light = np.where(scene.thing > 0, np.round(light * 3) / 3, 1)
    wash = cv2.GaussianBlur(light.astype(np.float32), (0, 0), 1.6) + 0.12 * noise(scene, 14)
    return mix(coloured(wash, _INK, (0.5, 0.5, 0.52), _PAPER), _INK, lines(scene, 3, 9))


def _on_paper(scene: Scene, *hatches: Pixels, ink: tuple[float, ...], line: Pixels) -> Pixels:
    drawn = np.clip(sum(hatches, line), 0, 1)
    return mix(np.ones_like(scene.rgb) * _PAPER, ink, drawn)


def _pencil(scene: Scene) -> Pixels:
    light = np.where(scene.thing > 0, lit(scene, -0.4, 0.7, 0.6), 0.75 + 0.2 * scene.ground)
    light = light.astype(np.float32)
    marks = [hatching(light, 40, 4, 0.95) * 0.5, hatching(light, 62, 5, 0.6) * 0.5]
    return _on_paper(scene, *marks, ink=(0.3, 0.3, 0.33), line=lines(scene, 1) * 0.7)


def _charcoal(scene: Scene) -> Pixels:
    light = cv2.GaussianBlur(lit(scene, -0.6, 0.5, 0.5) ** 1.6, (0, 0), 3)
    light = np.where(scene.thing > 0, light, 0.72 + 0.15 * scene.ground).astype(np.float32)
    grain = noise(scene, 1) * 0.45 + noise(scene, 3) * 0.2
    drawn = coloured(
        light + grain - 0.3, (0.05, 0.05, 0.05), (0.35, 0.34, 0.33), (0.88, 0.86, 0.82)
    )
    return mix(drawn, BLACK, lines(scene, 4, 9) * (0.5 + 0.5 * noise(scene, 2)))


def _pastel(scene: Scene) -> Pixels:
    soft = mix(richer(sky(scene, (0.65, 0.7, 0.9), (1.0, 0.85, 0.8)), 0.9), WHITE, 0.3)
    soft = strokes(soft, 4000, 8, 2)
    return mix(soft, (0.62, 0.56, 0.6), (noise(scene, 1) > 0.72) * 0.55)


def _etching(scene: Scene) -> Pixels:
    light = np.where(scene.thing > 0, lit(scene, -0.5, 0.6, 0.5), 0.82).astype(np.float32)
    light = light * (0.7 + 0.3 * grey(scene.rgb) / max(float(grey(scene.rgb).max()), 0.1))
    marks = [hatching(light, turn, 3.2, below) for turn, below in ((45, 1), (-45, 0.7), (90, 0.5))]
    made = _on_paper(scene, *marks, ink=(0.26, 0.16, 0.1), line=lines(scene, 1))
    return mix(made, (0.85, 0.75, 0.55), 0.25)


def _woodcut(scene: Scene) -> Pixels:
    light = np.where(scene.thing > 0, lit(scene, -0.7, 0.5, 0.4), 0.95).astype(np.float32)
    carved = hatching(light, 15, 9, 1.15) + (light < 0.35)
    above = hatching(1 - 0.9 * np.clip(scene.far - scene.thing, 0, 1), 90, 14, 1.0)
    drawn = np.clip(carved * scene.thing + above * (1 - scene.thing) + lines(scene, 5, 9), 0, 1)
    return mix(np.ones_like(scene.rgb) * (0.93, 0.88, 0.76), (0.1, 0.06, 0.05), drawn > 0.5)


def _comic(scene: Scene) -> Pixels:
    tones = richer(flat(sky(scene, (1.0, 0.86, 0.2), (1.0, 0.93, 0.5)), 4), 1.3)
    rows, columns = np.mgrid[: tones.shape[0], : tones.shape[1]]
    dots = ((rows % 7 - 3) ** 2 + (columns % 7 - 3) ** 2 < 5) * (lit(scene, -0.6, 0.6, 0.5) < 0.55)
    return mix(
        mix(tones, BLACK, dots * 0.5 * scene.thing), BLACK, np.clip(lines(scene, 4, 9) * 1.4, 0, 1)
    )


def _anime(scene: Scene) -> Pixels:
    made = richer(flat(sky(scene, (0.16, 0.45, 0.95), (0.75, 0.9, 1.0)), 7), 1.35)
    clouds = noise(scene, 48, 5) * 0.7 + noise(scene, 16, 6) * 0.3
    above = 1 - np.clip(scene.thing + scene.ground, 0, 1)
    made = mix(made, WHITE, np.clip((clouds - 0.48) * 9, 0, 1) * above)
    made = mix(made, (0.4, 0.75, 0.3), scene.ground * 0.8)
    return mix(
        made * (0.75 + 0.4 * lit(scene, 0.6, 0.7, 0.4)[..., None]), _INK, lines(scene, 1, 9) * 0.6
    )


def _concept(scene: Scene) -> Pixels:
    backed = sky(scene, (0.2, 0.27, 0.3), (0.72, 0.68, 0.58))
    shaded = backed * (0.3 + 0.9 * lit(scene, -0.9, 0.4, 0.2)[..., None])
    loose = strokes(richer(mix(shaded, (0.3, 0.36, 0.38), 0.2), 0.9), 700, 30, 7)
    return mix(loose, _INK, lines(scene, 2, 9) * 0.7)


MEDIA: dict[str, Look] = {
    "Oil Painting": _oil,
    "Watercolour": _watercolour,
    "Gouache": _gouache,
    "Ink Wash": _ink_wash,
    "Pencil Sketch": _pencil,
    "Charcoal": _charcoal,
    "Pastel": _pastel,
    "Etching": _etching,
    "Woodcut": _woodcut,
    "Comic Ink": _comic,
    "Anime Background": _anime,
    "Concept Art": _concept,
}
