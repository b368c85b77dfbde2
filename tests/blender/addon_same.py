"""One request, whoever asks: the panel, Python and the command line. Run by `addon_behaviours`."""

from __future__ import annotations

import random
from typing import Any

from addon_tools import addon, settings

_WORDS = ("moss", "(red:1.2) clay", "été", 'a "quoted" word', "a, b", "{oak|ash}")
_LORAS = ("ink", "clay")
_SAMPLERS = (None, "euler", "dpmpp_2m_karras", "lcm", "ddim")


def sixty_random_settings_make_one_request_in_panel_python_and_command_line():
    from underpaint.tree import to_json

    chance = random.Random(60)
    for _ in range(60):
        values = _any_values(chance)
        asked = to_json(_python(values))
        assert to_json(_panel(values)) == asked, values
        assert to_json(_command_line(values)) == asked, values


def _any_values(chance: random.Random) -> dict[str, Any]:
    def maybe(value: Any) -> Any:
        return value if chance.random() < 0.6 else None

    kinds = [kind.value for kind in addon("image.request").PANEL_CONTROLS]
    rows = [
        (kind, round(chance.uniform(0, 2), 2), round(chance.uniform(0, 0.5), 2), 0.9)
        for kind in kinds
        if chance.random() < 0.4
    ]
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
            (f"lora{n}", round(chance.uniform(-2, 2), 2)) for n in range(chance.randrange(3))
        ],
        "controls": maybe(rows),
    }


def _python(values: dict[str, Any]):
    from underpaint.requests import (
        Control,
        ControlKind,
        ImageRequest,
        Lora,
        Pattern,
        Prompt,
        Sampler,
        Sampling,
    )

    sampler = values["sampler"] and Sampler(values["sampler"])
    rows = values["controls"]
    width, height = values["size"] or (None, None)
    return ImageRequest(
        Prompt(values["prompt"], values["negative"]),
        values["model"],
        width,
        height,
        sampling=Sampling(sampler, values["steps"], values["guidance"], values["seed"]),
        loras=tuple(Lora(*lora) for lora in values["loras"]),
        pattern=Pattern(*values["pattern"]),
        controls=None
        if rows is None
        else tuple(Control(ControlKind(kind), *rest) for kind, *rest in rows),
    )


def _panel(values: dict[str, Any]):
    """Each property as the artist sets it."""
    group = settings()
    for name in ("prompt", "negative", "model", "seed"):
        setattr(group, name, values[name])
    group.width, group.height = values["size"] or (0, 0)
    group.steps, group.guidance = values["steps"] or 0, values["guidance"] or 0
    group.sampler = values["sampler"] or "MODEL"
    group.pattern_size, group.pattern_seed = values["pattern"][0] or 0, values["pattern"][1]
    group.loras.clear()
    for path, weight in values["loras"]:
        item = group.loras.add()
        item.path, item.weight = path, weight
    rows = {kind: rest for kind, *rest in values["controls"] or []}
    for kind in addon("image.request").PANEL_CONTROLS:
        setattr(group, f"{kind.value}_enabled", kind.value in rows)
        for part, value in zip(("scale", "start", "end"), rows.get(kind.value, ()), strict=False):
            setattr(group, f"{kind.value}_{part}", value)
    group.model_controls = values["controls"] is None
    return addon("image.request").image_request(addon("ui.properties").read_settings(group), None)


def _command_line(values: dict[str, Any]):
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
    for path, weight in values["loras"]:
        words += ["--lora", f"{path}:{weight}"]
    rows = values["controls"]
    for row in rows or []:
        words += ["--control", ":".join(map(str, row))]
    words += ["--control", "none"] if rows == [] else []
    request, _buffers = build_request(build_parser().parse_args(words))
    return request


BEHAVIOURS = (sixty_random_settings_make_one_request_in_panel_python_and_command_line,)
