"""What is in a training scene: objects, ground, light, camera and style, drawn from a seed.

What a caption does not say is always the same (a light grey studio, daylight outdoors, light from
the camera's left), so that a small model need not guess it, and what it guesses is calm.
"""

import math
import zlib
from dataclasses import dataclass, replace
from random import Random

from underpaint_starter.scenes.captions import (
    DEFAULT_BACKGROUND,
    DEFAULT_LIGHTS,
    ObjectWords,
    SceneWords,
    caption,
)
from underpaint_starter.scenes.colours import COLOURS, FIXED, NATURAL, PALETTE, TWO_TONE
from underpaint_starter.scenes.compounds import COMPOUNDS, SHAPES, WALL
from underpaint_starter.scenes.lighting import elevation_range
from underpaint_starter.scenes.materials import MATERIALS

RGB = tuple[float, float, float]
_COMMON = ("sphere", "cube", "cylinder", "cone", "torus", "head", "vase", "animal", "rock")
_UPRIGHT = frozenset(COMPOUNDS) | {"vase", "bottle", "column", "bell", "bowl", "mug", "barrel"}
_BACKGROUNDS: dict[str, RGB] = {
    DEFAULT_BACKGROUND: (205, 206, 208),
    "white": (244, 244, 244),
    "grey": (140, 140, 142),
    "dark grey": (72, 72, 75),
    "black": (16, 16, 18),
    "pale blue": (176, 205, 230),
    "beige": (224, 208, 180),
    "pale green": (190, 220, 186),
    "pink": (240, 190, 205),
    "dark blue": (30, 44, 84),
}
_NEAR_COLOURS = {
    "white": ("white",),
    "grey": ("grey", "dark grey"),
    "black": ("black", "dark grey"),
    "pink": ("pink",),
    "blue": ("pale blue", "dark blue"),
    "cyan": ("pale blue",),
    "green": ("pale green",),
}
_DEFAULT_SHARE = 0.65  # of scenes have the default background, and of those the default light
_SUN_AZIMUTH = -45.0  # degrees from the camera's
_SIMPLE = frozenset({"plain", "plastic", "chrome", "gold", "copper", "glass", "clay"})
_SHARES = [0.35 if name in _SIMPLE else 1.0 for name in MATERIALS]  # patterns need more practice
_WALLS = 0.12  # share of pictures that a wall fills
_PATTERN_SHARES = (math.log(0.1), math.log(0.25))  # 13 to 32 of 256 px


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """One object: labels, and how it is placed (degrees, units of the scene)."""

    words: ObjectWords
    natural: RGB  # sRGB 0..255, used where no colour word is given
    second: RGB
    size: float
    turn: tuple[float, float, float]  # about y, x, z in degrees
    spot: tuple[float, float]  # x, z
    seed: int


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """Orbit camera: degrees; ``fill`` is the share of the frame the objects take."""

    azimuth: float
    elevation: float
    roll: float
    field_of_view: float
    fill: float
    shift: tuple[float, float]


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """Everything :func:`render.render` needs; ``metres`` is the size of a scene unit,
    ``pattern_share`` a pattern unit's share of half the frame where the objects are,
    ``pattern_turn`` how the pattern's axes are turned, about the upright one and over (degrees)."""

    seed: int
    objects: tuple[ObjectSpec, ...]
    words: SceneWords
    backdrop: RGB
    sun_azimuth: float
    sun_elevation: float
    camera: CameraSpec
    metres: float
    pattern_share: float
    pattern_turn: tuple[float, float]
    caption: str


def is_held_out(shape: str, material: str, colour: str) -> bool:
    """Whether a combination is kept from training (one in ten, by a hash of its words)."""
    return zlib.crc32(f"{shape}|{material}|{colour}".encode()) % 10 == 0


def sample_scene(
    seed: int, held_out: bool = False, mesh_name: str = "", simple: bool = False
) -> SceneSpec:
    """The scene of a seed.  ``held_out``: only combinations that training never shows.
    ``mesh_name``: the word for a mesh of the caller's, the only object then.  ``simple``: a
    photo of one object in a studio."""
    rng = Random(seed * 2 + (1 if held_out else 0))
    flat = not mesh_name and rng.random() < _WALLS
    plain = flat or simple or rng.random() < (0.75 if mesh_name else 0.6)
    style = rng.choices(("photo", "toon", "clay", "watercolour"), (88, 5, 3, 4))[0]
    count = rng.choices((1, 2, 3), (90, 9, 1) if plain else (62, 30, 8))[0]
    if mesh_name or flat or simple:
        count = 1
    if simple:
        style = "photo"
    words = _all_words(rng, count, style, held_out, WALL if flat else mesh_name)
    placed = _places(rng, count)
    tumble = plain and count == 1 and not flat
    objects = tuple(
        _object(rng, w, spot, size, tumble) for w, (spot, size) in zip(words, placed, strict=True)
    )
    camera = _facing(rng) if flat else _camera(rng, plain, count)
    scene, backdrop = _setting(rng, plain, style, words, camera)
    low, high = elevation_range(scene.light)
    return SceneSpec(
        seed=seed,
        objects=objects,
        words=scene,
        backdrop=backdrop,
        sun_azimuth=camera.azimuth + _SUN_AZIMUTH + rng.uniform(-8, 8),
        sun_elevation=(low + high) / 2 + rng.uniform(-4, 4),
        camera=camera,
        metres=math.exp(rng.uniform(math.log(0.15), math.log(3.0))),
        pattern_share=math.exp(rng.uniform(*_PATTERN_SHARES)),
        pattern_turn=_pattern_turn(rng),
        caption=caption(words, scene, rng),
    )


def _all_words(
    rng: Random, count: int, style: str, held_out: bool, mesh_name: str
) -> list[ObjectWords]:
    first = _words(rng, style, held_out, mesh_name)
    if count > 1 and rng.random() < 0.2:
        return [first] * count
    return [first] + [_words(rng, style, held_out, mesh_name) for _ in range(count - 1)]


def _words(rng: Random, style: str, held_out: bool, mesh_name: str) -> ObjectWords:
    """Labels of one object, drawn until they are on the right side of the hold-out."""
    while True:
        shape = rng.choice(_COMMON) if rng.random() < 0.3 else rng.choice(tuple(SHAPES))
        shape = mesh_name or shape
        material = "clay" if style == "clay" else rng.choices(tuple(MATERIALS), _SHARES)[0]
        words = _coloured(rng, shape, material, style)
        if style == "clay" or is_held_out(shape, material, words.colour) == held_out:
            return words


def _coloured(rng: Random, shape: str, material: str, style: str) -> ObjectWords:
    if style == "clay" or material in FIXED:
        return ObjectWords(shape, "", material)
    named = material in TWO_TONE or rng.random() < 0.62
    if material in ("plain", "plastic"):
        named = rng.random() < 0.95
    colour = rng.choice(COLOURS) if named else ""
    if material not in TWO_TONE:
        return ObjectWords(shape, colour, material)
    return ObjectWords(shape, colour, material, _second_colour(rng, colour))


def _second_colour(rng: Random, colour: str) -> str:
    """The other colour of a pattern: white or black, or a neutral one by a neutral first."""
    options = {"white": ("black", "grey"), "grey": ("white", "black"), "black": ("white", "grey")}
    return rng.choice(options.get(colour, ("white", "white", "black")))


def _places(rng: Random, count: int) -> list[tuple[tuple[float, float], float]]:
    """Spots (x, z) and sizes such that the objects' bounding circles do not overlap."""
    if count == 1:
        return [((0.0, 0.0), 1.0)]
    out: list[tuple[tuple[float, float], float]] = []
    while len(out) < count:
        size = rng.uniform(0.55, 1.0)
        spread = 0.55 + 0.3 * count
        at = (rng.uniform(-spread, spread), rng.uniform(-spread, spread))
        if all(math.dist(at, q) > 0.8 * (size + other) for q, other in out):
            out.append((at, size))
    return out


def _object(
    rng: Random, words: ObjectWords, spot: tuple[float, float], size: float, tumble: bool
) -> ObjectSpec:
    turn = (0.0 if words.shape == WALL else rng.uniform(0, 360), 0.0, 0.0)
    if tumble and words.shape not in _UPRIGHT and rng.random() < 0.5:
        turn = (turn[0], rng.uniform(-180, 180), rng.uniform(-180, 180))
    elif words.shape not in _UPRIGHT and words.shape != WALL and rng.random() < 0.25:
        turn = (turn[0], rng.choice((90.0, rng.uniform(-40, 40))), 0.0)
    natural, second = _natural(words)
    return ObjectSpec(words, natural, second, size, turn, spot, rng.randrange(1 << 30))


def _natural(words: ObjectWords) -> tuple[RGB, RGB]:
    """The colour that a material has of itself, and that of its veins."""
    natural = NATURAL.get(words.material, (190, 188, 184))
    pale = sum(PALETTE[words.colour] if words.colour else natural) > 420
    return natural, (40.0, 40.0, 44.0) if pale else (225.0, 218.0, 205.0)


def _pattern_turn(rng: Random) -> tuple[float, float]:
    """Mostly upright, sometimes lying anyhow, as on an object that has been turned."""
    if rng.random() < 0.7:
        return (rng.choice((0.0, 90.0, 180.0, 270.0, rng.uniform(0, 360))), 0.0)
    return (rng.uniform(0, 360), rng.uniform(-90, 90))


def repainted(spec: SceneSpec, rng: Random, held_out: bool = False) -> SceneSpec:
    """The same geometry in other materials and colours, with a caption that says so."""
    style = spec.words.style
    words = [_words(rng, style, held_out, thing.words.shape) for thing in spec.objects]
    objects = tuple(
        replace(thing, words=own, natural=_natural(own)[0], second=_natural(own)[1])
        for thing, own in zip(spec.objects, words, strict=True)
    )
    setting = spec.words
    return replace(spec, objects=objects, caption=caption(words, setting, rng))


def _camera(rng: Random, plain: bool, count: int) -> CameraSpec:
    if plain and count == 1:
        elevation = math.degrees(math.asin(rng.uniform(-0.85, 0.97)))
        if rng.random() < 0.45:
            elevation = rng.uniform(-10, 35)
    else:
        elevation = rng.uniform(4, 42) if rng.random() < 0.85 else rng.uniform(42, 80)
    return CameraSpec(
        azimuth=rng.uniform(0, 360),
        elevation=elevation,
        roll=rng.gauss(0, 2) if rng.random() < 0.3 else 0.0,
        field_of_view=rng.choice((18.0, 28.0, 38.0, 50.0, 65.0)) + rng.uniform(-4, 4),
        fill=rng.uniform(0.68, 1.0) if plain else rng.uniform(0.6, 1.0),
        shift=(0.0, 0.0) if plain else (rng.uniform(-0.2, 0.2), rng.uniform(-0.05, 0.2)),
    )


def _facing(rng: Random) -> CameraSpec:
    """In front of a wall that fills the picture, half of the time straight."""
    turn, tilt = (0.0, 0.0) if rng.random() < 0.5 else (rng.uniform(-20, 20), rng.uniform(-20, 20))
    return CameraSpec(turn, tilt, 0.0, rng.uniform(14, 50), rng.uniform(1.5, 1.9), (0.0, 0.0))


def _setting(
    rng: Random, plain: bool, style: str, words: list[ObjectWords], camera: CameraSpec
) -> tuple[SceneWords, RGB]:
    above = "seen from above" if camera.elevation > 50 else ""
    above = "seen from below" if camera.elevation < -30 else above
    if not plain:
        names = (
            "sand",
            "grass",
            "wood",
            "stone",
            "checker",
            "snow",
            "concrete",
            "dirt",
            "water",
            "brick",
        )
        light = rng.choices(("noon", "day", "evening", "overcast"), (1, 6, 2, 1))[0]
        light = "overcast" if style == "clay" else light
        ground = "concrete" if style == "clay" else rng.choice(names)
        return SceneWords(ground, "", light, style, above), (128, 128, 128)
    taken = {near for w in words for near in _NEAR_COLOURS.get(w.colour, ())}
    options = [name for name in _BACKGROUNDS if name not in taken]
    name = DEFAULT_BACKGROUND if rng.random() < _DEFAULT_SHARE else rng.choice(options)
    light = rng.choices(("soft", "day"), (3, 1))[0]
    light = DEFAULT_LIGHTS[False] if rng.random() < _DEFAULT_SHARE else light
    return SceneWords("", name, light, style, above), _BACKGROUNDS[name]
