"""One request, whoever asks: the panel, Python and the command line. Run by `addon_behaviours`."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from addon_tools import addon, settings

_WORDS = ("moss", "(red:1.2) clay", "été", 'a "quoted" word', "a, b", "{oak|ash}")
_OF_PARTS = (("ink", 0.8), ("clay", -0.35), ("gold", 1.0))
_SAMPLERS = (None, "euler", "dpmpp_2m_karras", "lcm", "ddim")
_ROLES = ("style", "subject", "color", "sketch")
_CURVES = ("", "0-1,1-0.2", "0-0.3,0.55-1.25,1-0")
_PICTURES = [np.eye(8, 16, k, np.uint8) * 255 for k in (0, 3)]


def sixty_random_settings_make_one_request_in_panel_python_and_command_line():
    from underpaint.tree import to_json

    chance = random.Random(60)
    with tempfile.TemporaryDirectory() as folder:
        files = [_saved(picture, Path(folder) / f"{n}.hdr") for n, picture in enumerate(_PICTURES)]
        images = [bpy.data.images.load(str(file)) for file in files]
        for _ in range(60):
            values = _any_values(chance)
            asked = to_json(_python(values))
            assert to_json(_panel(values, images)) == asked, values
            assert to_json(_command_line(values, files)) == asked, values


def _saved(picture, file: Path) -> Path:
    """A Radiance file, which both read without a library: white or black."""
    pixels = np.where(picture[..., None] > 0, [128, 128, 128, 129], 0).astype(np.uint8)
    head = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 16\n"
    file.write_bytes(head + pixels.tobytes())
    return file


def _any_values(chance: random.Random) -> dict[str, Any]:
    def maybe(value: Any) -> Any:
        return value if chance.random() < 0.6 else None

    side = 8 * chance.randint(8, 128)
    return {
        "prompt": ", ".join(chance.sample(_WORDS, chance.randint(1, 4))),
        "negative": chance.choice(("", "blur", "fog, rain")),
        "model": chance.choice(("starter", "sdxl-base", "a model")),
        "size": maybe((side, 8 * chance.randint(8, 128))),
        "steps": maybe(chance.randint(1, 150)),
        "guidance": maybe(round(chance.uniform(1, 12), 2)),
        "sampler": chance.choice(_SAMPLERS),
        "seed": chance.randint(0, 2**31 - 1),
        "pattern": (maybe(round(chance.uniform(0.01, 2), 3)), chance.randint(0, 99)),
        "loras": [
            (f"lora{n}", round(chance.uniform(-2, 2), 2), chance.choice(_CURVES))
            for n in range(chance.randrange(3))
        ],
        "curve": chance.choice(_CURVES),
        "image_guidance": maybe(round(chance.uniform(1, 3), 2)),
        "references": [_any_reference(chance) for _ in range(chance.randrange(3))],
        "regions": [_any_region(chance) for _ in range(chance.randrange(3))],
        "refiner": maybe(("refiner", round(chance.uniform(0, 1), 2))),
        "handoff": maybe(round(chance.uniform(0.1, 0.9), 2)),
        "controls": maybe(_any_controls(chance)),
    }


def _any_reference(chance: random.Random) -> tuple[Any, ...]:
    """Its role, picture, adapter, weight, and from, to and fidelity."""
    seen = chance.choice(((0.0, 1.0, 0.5), (0.2, 0.75, 1.0)))
    adapter = chance.choice((None, "plus", "attention"))
    return (chance.choice(_ROLES), chance.randrange(2), adapter, 0.25, *seen)


def _any_region(chance: random.Random) -> tuple[Any, ...]:
    """Its mask, words, weight and LoRAs."""
    worn = [(*lora, chance.choice(_CURVES)) for lora in chance.sample(_OF_PARTS, 2)]
    weight = round(chance.uniform(0, 1), 2)
    words = chance.choice(_WORDS[:4])
    return (chance.randrange(2), words, weight, worn[: chance.randrange(3)])


def _any_controls(chance: random.Random) -> list[tuple[Any, ...]]:
    """Each one's kind, picture, weight, and from and to."""
    return [
        (
            *(kind.value, chance.choice((None, 0, 1))),
            *(round(chance.uniform(0, 2), 2), round(chance.uniform(0, 0.5), 2), 0.9),
        )
        for kind in addon("following.kinds").PANEL_CONTROLS
        if chance.random() < 0.4
    ]


def _python(values: dict[str, Any]):
    from underpaint.buffers import Buffers, Kind
    from underpaint.requests import (
        Control,
        ControlKind,
        ImageRequest,
        Lora,
        Pattern,
        Prompt,
        Reference,
        ReferenceRole,
        Refiner,
        RegionPrompt,
    )
    from underpaint.requests.curves import curve_of

    def worn(loras: Any) -> tuple[Lora, ...]:
        return tuple(Lora(*rest, curve_of("curve", curve or None)) for *rest, curve in loras)

    rows = values["controls"]
    width, height = values["size"] or (None, None)
    masks = [Buffers().add(Kind.MASK, picture) for picture in _PICTURES]
    colours = [Buffers().add(Kind.COLOR, np.dstack([picture] * 3)) for picture in _PICTURES]
    return ImageRequest(
        Prompt(values["prompt"], values["negative"]),
        values["model"],
        width,
        height,
        sampling=_sampling(values),
        loras=worn(values["loras"]),
        references=tuple(
            Reference(ReferenceRole(role), colours[which], scale, adapter, *rest)
            for role, which, adapter, scale, *rest in values["references"]
        ),
        regions=tuple(
            RegionPrompt(
                Prompt(words, values["negative"]), masks[n], weight=weight, loras=worn(loras)
            )
            for n, words, weight, loras in values["regions"]
        ),
        refiner=values["refiner"] and Refiner(*values["refiner"], handoff=values["handoff"]),
        pattern=Pattern(*values["pattern"]),
        controls=None
        if rows is None
        else tuple(
            Control(ControlKind(kind), *rest, None if which is None else colours[which])
            for kind, which, *rest in rows
        ),
    )


def _sampling(values: dict[str, Any]):
    from underpaint.requests import Sampler, Sampling
    from underpaint.requests.curves import curve_of

    return Sampling(
        values["sampler"] and Sampler(values["sampler"]),
        values["steps"],
        values["guidance"],
        values["seed"],
        image_guidance=values["image_guidance"],
        guidance_curve=curve_of("curve", values["curve"] or None),
    )


def _panel(values: dict[str, Any], images):
    """Each property as the artist sets it."""
    from underpaint.buffers import Buffers

    group = settings()
    for name in ("prompt", "negative", "model", "seed"):
        setattr(group, name, values[name])
    group.width, group.height = values["size"] or (0, 0)
    group.steps, group.guidance = values["steps"] or 0, values["guidance"] or 0
    group.sampler = values["sampler"] or "MODEL"
    group.pattern_size, group.pattern_seed = values["pattern"][0] or 0, values["pattern"][1]
    group.loras.clear()
    for path, weight, curve in values["loras"]:
        item = group.loras.add()
        item.path, item.weight, item.curve = path, weight, curve
    group.guidance_curve = values["curve"]
    group.image_guidance = values["image_guidance"] or 0
    group.references.clear()
    for role, which, adapter, scale, *rest in values["references"]:
        bpy.ops.underpaint.reference_add(image=images[which].name)
        one = group.references[group.active_reference]
        one.role, one.model, one.scale = role, adapter or "", scale
        one.start, one.end, one.fidelity = rest
    group.regions.clear()
    for which, words, weight, loras in values["regions"]:
        bpy.ops.underpaint.region_add()
        part = group.regions[group.active_region]
        part.mask, part.prompt, part.weight = images[which], words, weight
        for name, much, curve in loras:
            bpy.ops.underpaint.part_lora_add(name=name)
            part.loras[-1].weight, part.loras[-1].curve = much, curve
    group.refiner, group.refiner_strength = values["refiner"] or ("", 0)
    group.refiner_hands_over = values["handoff"] is not None
    group.refiner_handoff = values["handoff"] or 0.8
    rows = {kind: rest for kind, _which, *rest in values["controls"] or []}
    pictures = {kind: which for kind, which, *_rest in values["controls"] or []}
    for kind in addon("following.kinds").PANEL_CONTROLS:
        setattr(group, f"{kind.value}_enabled", kind.value in rows)
        for part, value in zip(("scale", "start", "end"), rows.get(kind.value, ()), strict=False):
            setattr(group, f"{kind.value}_{part}", value)
        which = pictures.get(kind.value)
        group.property_unset(f"{kind.value}_source")
        setattr(group, f"{kind.value}_image", None if which is None else images[which])
    group.model_controls = values["controls"] is None
    asked = addon("ui.properties").read_settings(group, Buffers())
    return addon("image.request").image_request(asked, None)


def _command_line(values: dict[str, Any], files: list[Path]):
    from underpaint.cli.generate import build_request
    from underpaint.cli.main import build_parser

    words = ["generate", "--out", "out", f"--prompt={values['prompt']}"]
    words += [f"--negative={values['negative']}", "--model", values["model"]]
    for name in ("steps", "guidance", "sampler"):
        words += [] if values[name] is None else [f"--{name}", str(values[name])]
    words += ["--seed", str(values["seed"]), "--pattern-seed", str(values["pattern"][1])]
    if values["size"]:
        words += ["--size", "x".join(map(str, values["size"]))]
    if values["pattern"][0]:
        words += ["--pattern-size", str(values["pattern"][0])]
    for lora in values["loras"]:
        words += ["--lora", _said(*lora)]
    words += ["--guidance-curve", values["curve"]] if values["curve"] else []
    if values["image_guidance"]:
        words += ["--image-guidance", str(values["image_guidance"])]
    for role, which, adapter, scale, start, end, fidelity in values["references"]:
        through = f"@{adapter}" if adapter else ""
        told = f"{scale}:{start}:{end}:fidelity={fidelity}"
        words += ["--reference", f"{role}={files[which]}{through}:{told}"]
    for which, said, weight, loras in values["regions"]:
        own = "".join(f":lora={_said(*lora)}" for lora in loras)
        words += ["--region", f"{files[which]}={said}:{weight}{own}"]
    if values["refiner"]:
        words += ["--refiner", ":".join(map(str, values["refiner"]))]
        words += ["--handoff", str(values["handoff"])] if values["handoff"] else []
    rows = values["controls"]
    for kind, which, *numbers in rows or []:
        read = kind if which is None else f"{kind}={files[which]}"
        words += ["--control", ":".join(map(str, (read, *numbers)))]
    words += ["--control", "none"] if rows == [] else []
    request, _buffers = build_request(build_parser().parse_args(words))
    return request


def _said(path: str, weight: float, curve: str) -> str:
    return f"{path}:{weight}" + (f":curve={curve}" if curve else "")


BEHAVIOURS = (sixty_random_settings_make_one_request_in_panel_python_and_command_line,)
