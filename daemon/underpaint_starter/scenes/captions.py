"""Plain English captions: what an artist would type for a scene."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

SHAPE_WORDS: dict[str, tuple[str, ...]] = {
    "sphere": ("sphere", "ball", "sphere", "ball", "orb", "globe"),
    "cube": ("cube", "box", "block", "cube"),
    "slab": ("slab", "block", "box"),
    "rounded box": ("rounded box", "rounded cube", "soft cube"),
    "cylinder": ("cylinder", "drum", "cylinder"),
    "cone": ("cone",),
    "torus": ("torus", "ring", "donut", "doughnut"),
    "capsule": ("capsule", "pill"),
    "pyramid": ("pyramid",),
    "egg": ("egg",),
    "vase": ("vase", "pot", "urn"),
    "bottle": ("bottle",),
    "column": ("column", "pillar"),
    "bell": ("bell",),
    "bowl": ("bowl", "dish"),
    "mug": ("mug", "cup"),
    "barrel": ("barrel", "cask"),
    "rock": ("rock", "boulder"),
    "blob": ("blob", "lump"),
    "head": ("head", "bust", "face"),
    "star": ("star",),
    "heart": ("heart",),
    "gear": ("gear", "cog"),
    "cross": ("cross",),
    "crystal": ("crystal", "gem"),
    "knot": ("knot",),
    "hourglass": ("hourglass",),
    "snowman": ("snowman",),
    "mushroom": ("mushroom", "toadstool"),
    "house": ("house", "cottage", "hut"),
    "tower": ("tower", "castle tower"),
    "table": ("table", "desk"),
    "chair": ("chair", "seat"),
    "tree": ("tree",),
    "animal": ("animal", "cow", "dog", "creature", "horse", "monkey"),
    "figure": ("figure", "person", "man", "doll", "robot"),
    "bird": ("bird",),
    "fish": ("fish",),
    "rocket": ("rocket", "spaceship"),
    "teapot": ("teapot", "kettle"),
    "arch": ("arch", "gateway"),
    "stairs": ("staircase", "set of stairs"),
    "dumbbell": ("dumbbell",),
    "pawn": ("pawn", "chess piece"),
    "car": ("car", "toy car"),
    "sculpture": ("sculpture", "abstract shape"),
    "mesh": ("object", "model"),
    "wall": ("wall", "surface", "texture", "ground", "floor"),
}
GENERIC = ("object", "statue", "thing", "shape", "sculpture", "model", "figure")
_AFTER = re.compile(r"^(made of|covered in|carved from|carved in|wrapped in|with a|with) ")
_FACED = ("head", "animal", "figure", "bird", "fish", "pawn", "snowman")

# adjective forms ("a {brick} cube") and attribute forms ("a cube {made of bricks}")
MATERIAL_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "plain": (("plain", "matte", "smooth", "painted", ""), ()),
    "plastic": (("plastic", "glossy", "shiny", "glossy plastic"), ("made of plastic",)),
    "brick": (("brick", "brick"), ("made of bricks", "made of brick", "with a brick texture")),
    "wooden": (("wooden", "wood", "carved wooden"), ("made of wood", "carved from wood")),
    "planks": (("plank", "wooden plank", "planked"), ("made of planks", "made of wooden boards")),
    "bark": (("bark", "tree bark"), ("covered in bark",)),
    "marble": (("marble", "veined marble", "polished marble"), ("made of marble",)),
    "stone": (("stone", "rough stone", "granite", "rocky"), ("made of stone", "carved in stone")),
    "concrete": (("concrete", "cement"), ("made of concrete",)),
    "mossy": (
        ("mossy stone", "mossy", "moss-covered", "overgrown stone"),
        ("covered in moss", "made of mossy stone"),
    ),
    "cracked": (("cracked stone", "cracked", "cracked earth"), ("made of cracked stone",)),
    "tiles": (("tiled", "ceramic tile", "mosaic"), ("covered in tiles", "made of tiles")),
    "rusty": (("rusty", "rusty metal", "rusted iron"), ("covered in rust", "made of rusty iron")),
    "metal": (("metal", "brushed metal", "metallic", "steel"), ("made of metal",)),
    "chrome": (("chrome", "polished chrome", "mirror", "silver"), ("made of chrome",)),
    "gold": (("gold", "golden", "shiny gold"), ("made of gold",)),
    "copper": (("copper", "polished copper"), ("made of copper",)),
    "leather": (("leather",), ("made of leather", "wrapped in leather")),
    "woven": (
        ("woven", "wicker", "woven cloth", "fabric"),
        ("made of woven cloth", "made of fabric"),
    ),
    "scales": (
        ("scaly", "dragon scale", "fish scale"),
        ("covered in scales", "with dragon scales"),
    ),
    "fur": (("furry", "fur", "fluffy", "hairy"), ("covered in fur", "with soft fur")),
    "leaves": (("leafy", "leaf-covered"), ("covered in leaves", "made of leaves")),
    "striped": (("striped", "candy striped", "stripy"), ("with stripes",)),
    "zigzag": (("zigzag", "zigzag patterned"), ("with a zigzag pattern",)),
    "checkered": (("checkered", "chequered", "checkerboard"), ("with a checker pattern",)),
    "spotted": (("spotted", "polka dot", "dotted"), ("with spots", "with polka dots")),
    "clay": (("clay", "terracotta", "pottery"), ("made of clay",)),
    "glass": (("glass", "glassy", "transparent glass"), ("made of glass",)),
    "lava": (("lava", "molten lava", "glowing lava"), ("made of lava",)),
    "ice": (("ice", "icy", "frozen"), ("made of ice", "carved from ice")),
}
GROUND_WORDS: dict[str, tuple[str, ...]] = {
    "sand": ("on sand", "on the beach", "in the desert", "on a sandy ground"),
    "grass": ("on grass", "on a lawn", "in a meadow", "on green grass"),
    "wood": ("on a wooden floor", "on wooden boards", "on a wooden table"),
    "stone": ("on a stone floor", "on paving stones", "on stone tiles"),
    "checker": ("on a checkered floor", "on a chessboard floor"),
    "snow": ("on snow", "in the snow", "on snowy ground"),
    "concrete": ("on concrete", "on a concrete floor", "on a grey floor"),
    "dirt": ("on dirt", "on bare earth", "on brown soil"),
    "water": ("on water", "in shallow water"),
    "brick": ("on a brick pavement", "on bricks"),
}
LIGHT_WORDS: dict[str, tuple[str, ...]] = {
    "noon": ("noon light", "midday sun", "bright sunlight", "hard sunlight"),
    "day": ("daylight", "sunny day", "sunlight", "morning light"),
    "evening": ("evening light", "sunset", "golden hour", "warm evening sun"),
    "overcast": ("overcast sky", "cloudy day", "overcast light", "grey sky"),
    "studio": ("studio light", "studio lighting"),
    "soft": ("soft light", "soft lighting", "diffuse light"),
}
STYLE_WORDS: dict[str, tuple[str, ...]] = {
    "photo": ("photo of {}", "photograph of {}", "{}, photo", "{}, realistic", "3d render of {}"),
    "toon": ("cartoon of {}", "{}, cartoon style", "toon {}", "{}, toon shading", "cel shaded {}"),
    "clay": ("clay render of {}", "{}, clay render", "grey clay model of {}"),
    "watercolour": (
        "watercolour of {}",
        "watercolor painting of {}",
        "{}, watercolour",
        "a watercolour painting of {}",
    ),
}
DEFAULT_BACKGROUND = "light grey"
DEFAULT_LIGHTS = {False: "studio", True: "day"}  # without and with a ground
NUMBERS = {2: ("two", "2", "a pair of"), 3: ("three", "3")}


@dataclass(frozen=True, slots=True)
class ObjectWords:
    """The labels a caption may speak of; ``second`` is the other colour of a pattern."""

    shape: str
    colour: str
    material: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class SceneWords:
    """Scene-wide labels; ground "" means a plain background of colour ``background``."""

    ground: str
    background: str
    light: str
    style: str
    above: str = ""


def with_article(words: str, rng: Random) -> str:
    """ "a" or "an" before ``words``, or nothing (as in a short prompt)."""
    if rng.random() < 0.35:
        return words
    article = "an" if words[:1] in "aeio" or words.startswith("hourglass") else "a"
    return f"{article} {words}"


def plural(noun: str) -> str:
    """English plural of a shape word."""
    irregular = {"person": "people", "man": "men", "fish": "fish", "set of stairs": "staircases"}
    if noun in irregular:
        return irregular[noun]
    if noun.endswith(("x", "s", "ch", "sh")):
        return noun + "es"
    return noun + "s"


def noun_for(words: ObjectWords, rng: Random) -> str:
    """A word for the shape, now and then one that fits anything."""
    if rng.random() < (0.35 if words.shape in _FACED else 0.14):
        return rng.choice(GENERIC)
    return rng.choice(SHAPE_WORDS[words.shape])


def _colour_phrase(words: ObjectWords, rng: Random) -> str:
    colour = "gray" if words.colour == "grey" and rng.random() < 0.3 else words.colour
    if words.second and rng.random() < 0.55:
        return f"{colour} and {words.second}"
    if colour and rng.random() < 0.08:
        return f"bright {colour}" if colour not in ("black", "white", "grey", "gray") else colour
    return colour


def object_phrase(words: ObjectWords, rng: Random, noun: str = "") -> str:
    """One object in words, without its article."""
    noun = noun or noun_for(words, rng)
    adjectives, attributes = MATERIAL_WORDS[words.material]
    colour = _colour_phrase(words, rng)
    if attributes and rng.random() < 0.22:
        return " ".join(part for part in (colour, noun, rng.choice(attributes)) if part)
    material = rng.choice(adjectives)
    order = [colour, material, noun] if rng.random() < 0.92 else [material, colour, noun]
    return " ".join(part for part in order if part)


def _objects_phrase(objects: Sequence[ObjectWords], rng: Random) -> str:
    if len(objects) == 1:
        return with_article(object_phrase(objects[0], rng), rng)
    if len(set(objects)) == 1:
        noun = noun_for(objects[0], rng)
        number = rng.choice(NUMBERS[len(objects)])
        return f"{number} {object_phrase(objects[0], rng, plural(noun))}"
    phrases = [with_article(object_phrase(o, rng), rng) for o in objects]
    if len(phrases) == 2:
        joint = rng.choice((" and ", " and ", " next to ", " beside "))
        return joint.join(phrases)
    return f"{phrases[0]}, {phrases[1]} and {phrases[2]}"


def _setting(scene: SceneWords, rng: Random) -> list[str]:
    """Phrases for ground, background and light; defaults are rarely said, all else always."""
    out = []
    if scene.ground:
        out.append(rng.choice(GROUND_WORDS[scene.ground]))
    elif scene.background != DEFAULT_BACKGROUND:
        name = scene.background
        out.append(rng.choice((f"on a {name} background", f"{name} background")))
    elif rng.random() < 0.15:
        out.append(f"{rng.choice((scene.background, 'plain'))} background")
    if scene.light != DEFAULT_LIGHTS[bool(scene.ground)] or rng.random() < 0.15:
        out.append(rng.choice(LIGHT_WORDS[scene.light]))
    if scene.above and rng.random() < 0.3:
        out.append(scene.above)
    return out


def caption(objects: Sequence[ObjectWords], scene: SceneWords, rng: Random) -> str:
    """A caption of the scene; in the studio often as short as "red brick cube"."""
    text = _objects_phrase(objects, rng)
    if len(objects) == 1 and rng.random() < (0.5 if objects[0].shape == "wall" else 0.08):
        text = _terse(objects[0], rng)
    for phrase in _setting(scene, rng):
        text += (" " if phrase.startswith(("on ", "in ")) else ", ") + phrase
    if scene.style != "photo" or rng.random() < 0.1:
        text = rng.choice(STYLE_WORDS[scene.style]).format(text)
    return text


def _terse(words: ObjectWords, rng: Random) -> str:
    """Only the material or only the colour, as texturing prompts are."""
    adjectives, _ = MATERIAL_WORDS[words.material]
    material = rng.choice([a for a in adjectives if a] or ["plain"])
    if words.colour and rng.random() < 0.5:
        return words.colour if rng.random() < 0.4 else f"{words.colour} {material}"
    return material if not words.colour else f"{words.colour} {material}"


def bare(words: ObjectWords, rng: Random) -> str:
    """The material alone, as it is asked for on a mesh: "red bricks", "mossy stone texture"."""
    adjectives, attributes = MATERIAL_WORDS[words.material]
    nouns = [_AFTER.sub("", text) for text in attributes]
    said = rng.choice([text for text in (*adjectives, *nouns, *nouns) if text])
    end = rng.choice(("", "", "", "texture", "surface", "wall"))
    return " ".join(part for part in (_colour_phrase(words, rng), said, end) if part)
