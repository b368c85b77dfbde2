"""Sun, sky and studio light, and the shading of surface samples under them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint_starter.scenes.patterns import mix, noise, smoothstep
from underpaint_starter.scenes.surfaces import Surface


@dataclass(frozen=True, slots=True)
class Light:
    """One sun and a sky; colours are linear RGB radiance, ``sun_direction`` points to the sun."""

    name: str
    sun_direction: Tensor
    sun: Tensor
    zenith: Tensor
    horizon: Tensor
    bounce: Tensor
    studio: bool = False
    clouds: float = 0.0


# name: (sun, zenith, horizon, bounce, elevation range in degrees, clouds)
_RGB = tuple[float, float, float]
_KINDS: dict[str, tuple[_RGB, _RGB, _RGB, _RGB, tuple[float, float], float]] = {
    "noon": (
        (1.0, 0.98, 0.93),
        (0.2, 0.38, 0.72),
        (0.62, 0.74, 0.88),
        (0.26, 0.25, 0.23),
        (48, 75),
        0.7,
    ),
    "day": (
        (1.0, 0.96, 0.88),
        (0.24, 0.42, 0.74),
        (0.66, 0.76, 0.88),
        (0.26, 0.25, 0.23),
        (28, 50),
        0.9,
    ),
    "evening": (
        (1.15, 0.78, 0.5),
        (0.26, 0.28, 0.5),
        (0.95, 0.62, 0.4),
        (0.26, 0.22, 0.2),
        (10, 24),
        0.8,
    ),
    "overcast": (
        (0.22, 0.22, 0.22),
        (0.66, 0.68, 0.72),
        (0.72, 0.74, 0.77),
        (0.36, 0.36, 0.36),
        (50, 80),
        0.4,
    ),
    "studio": (
        (0.85, 0.84, 0.82),
        (0.5, 0.5, 0.51),
        (0.4, 0.4, 0.41),
        (0.3, 0.3, 0.3),
        (25, 65),
        0.0,
    ),
    "soft": (
        (0.4, 0.4, 0.39),
        (0.72, 0.72, 0.73),
        (0.56, 0.56, 0.57),
        (0.42, 0.42, 0.42),
        (35, 75),
        0.0,
    ),
}
LIGHTS = tuple(_KINDS)


def elevation_range(name: str) -> tuple[float, float]:
    """Height of the named light's sun above the horizon in degrees."""
    return _KINDS[name][4]


def make_light(name: str, sun_direction: Tensor) -> Light:
    """The named light with its sun in a given direction."""
    sun, zenith, horizon, bounce, _, clouds = _KINDS[name]
    colours = torch.tensor([sun, zenith, horizon, bounce], device=sun_direction.device)
    studio = name in ("studio", "soft")
    return Light(
        name, sun_direction, colours[0], colours[1], colours[2], colours[3], studio, clouds
    )


def sky(direction: Tensor, light: Light, gloss: Tensor) -> Tensor:
    """Radiance (N, 3) from unit directions (N, 3), blurred for low ``gloss`` (N,)."""
    up = direction[:, 1]
    blur = 0.9 - 0.86 * gloss
    above = mix(light.horizon.expand_as(direction), light.zenith, smoothstep(0.0, 0.75, up))
    side = ((up + blur) / (2 * blur)).clamp(0, 1)
    out = mix(light.bounce.expand_as(direction), above, side * side * (3 - 2 * side))
    if light.studio:
        return out + _softboxes(direction, light, blur)
    facing = (direction @ light.sun_direction).clamp(min=0)
    return out + light.sun * (0.45 * facing**12)[:, None]


def _softboxes(direction: Tensor, light: Light, blur: Tensor) -> Tensor:
    """Three bright panels around the stage: what makes metal look like metal."""
    x, y, z = direction.unbind(-1)
    width = 0.06 + 0.5 * blur
    sun = light.sun_direction
    angle = torch.atan2(x, z) - torch.atan2(sun[0], sun[2])
    panel = torch.zeros_like(x)
    for centre, half, low, high, power in (
        (0.0, 0.35, -0.1, 0.75, 1.0),
        (2.2, 0.2, -0.3, 0.8, 0.8),
    ):
        off = torch.remainder(angle - centre + torch.pi, 2 * torch.pi) - torch.pi
        inside = ((half - off.abs()) / width + 0.5).clamp(0, 1)
        panel = panel + power * inside * ((y - low) / width).clamp(0, 1) * (
            (high - y) / width
        ).clamp(0, 1)
    top = ((y - 0.86) / width + 0.5).clamp(0, 1)
    return (panel * 1.3 + top)[:, None] * light.sun.clamp(min=0.6)


def visible_sky(direction: Tensor, light: Light) -> Tensor:
    """The sky as the camera sees it, with clouds."""
    height = direction[:, 1].clamp(min=0)
    out = mix(light.horizon.expand_as(direction), light.zenith, smoothstep(0.0, 0.75, height))
    facing = (direction @ light.sun_direction).clamp(min=0)
    out = out + light.sun * (0.3 * facing**12)[:, None]
    up = direction[:, 1].clamp(min=0.03)
    at = torch.stack((direction[:, 0] / up, direction[:, 2] / up, up * 0), -1) * 0.03
    cover = smoothstep(0.5, 0.72, noise(at + 0.37)) * smoothstep(0.03, 0.2, direction[:, 1])
    white = (light.sun * 0.55 + light.horizon * 0.5).clamp(max=1)
    return mix(out, white.expand_as(out), cover * light.clouds)


def shade(
    surface: Surface, normal: Tensor, view: Tensor, light: Light, shadow: Tensor, open_sky: Tensor
) -> Tensor:
    """Radiance (N, 3) of samples.  normal, view: unit (N, 3); shadow, open_sky: (N,) 1 = lit."""
    metal = _column(surface.metal, normal)
    gloss = _column(surface.gloss, normal)
    facing = (normal @ light.sun_direction).clamp(min=0) * shadow
    up = (normal[:, 1] * 0.5 + 0.5) * 0.9 + 0.05
    ambient = mix(light.bounce.expand_as(normal), light.zenith * 0.5 + light.horizon * 0.5, up)
    ambient = ambient * (0.75 * open_sky)[:, None]
    diffuse = surface.albedo * (light.sun * facing[:, None] + ambient)
    f0 = mix(torch.full_like(normal, 0.04), surface.albedo, metal)
    grazing = (1 - (normal * view).sum(-1).clamp(0, 1)) ** 5
    half = torch.nn.functional.normalize(view + light.sun_direction, dim=-1)
    power = 2.0 ** (2 + 8 * gloss)
    spark = (normal * half).sum(-1).clamp(min=0) ** power * (power + 8) / 24 * facing
    reflected = sky(_mirrored(view, normal), light, gloss) * (0.25 + 0.75 * open_sky)[:, None]
    fresnel = f0 + (1 - f0) * (grazing * gloss)[:, None]
    strength = (metal + (1 - metal) * gloss**2)[:, None]
    body = diffuse * (1 - metal)[:, None]
    if surface.glass:
        body = _through(surface, normal, view, light, gloss)
    out = body + fresnel * strength * reflected
    out = out + f0 * light.sun * (spark * gloss.clamp(max=0.9)).clamp(max=8)[:, None]
    return out if surface.glow is None else out + surface.glow


def shade_toon(surface: Surface, normal: Tensor, light: Light, shadow: Tensor) -> Tensor:
    """Flat bands of light, as in a cartoon."""
    level = (normal @ light.sun_direction).clamp(min=0) * (0.3 + 0.7 * shadow)
    bands = 0.5 + 0.3 * smoothstep(0.12, 0.16, level) + 0.25 * smoothstep(0.55, 0.6, level)
    out = surface.albedo * bands[:, None]
    return out if surface.glow is None else out + surface.glow


def _column(value: float | Tensor, like: Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else torch.full_like(like[:, 0], value)


def _mirrored(view: Tensor, normal: Tensor) -> Tensor:
    return 2 * (view * normal).sum(-1, keepdim=True) * normal - view


def _through(surface: Surface, normal: Tensor, view: Tensor, light: Light, gloss: Tensor) -> Tensor:
    """What is seen through clear glass: the surroundings upside down, tinted."""
    bent = torch.nn.functional.normalize(-view - 0.8 * normal, dim=-1)
    inside = (normal * view).sum(-1).clamp(0, 1)
    tint = surface.albedo ** (0.7 + 0.6 * (1 - inside))[:, None]
    return tint * (0.15 + 0.85 * sky(bent, light, gloss)) * (0.55 + 0.45 * inside)[:, None]
