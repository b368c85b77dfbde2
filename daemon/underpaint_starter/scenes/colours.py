"""The twelve colour words, natural colours of materials, the dominant colour of a picture."""

import torch
from torch import Tensor

PALETTE: dict[str, tuple[int, int, int]] = {
    "red": (205, 22, 24),
    "orange": (245, 120, 12),
    "yellow": (250, 212, 22),
    "green": (34, 150, 40),
    "cyan": (20, 205, 212),
    "blue": (26, 60, 215),
    "purple": (118, 36, 178),
    "pink": (252, 120, 178),
    "brown": (105, 60, 30),
    "white": (240, 240, 238),
    "grey": (128, 128, 130),
    "black": (24, 24, 26),
}
COLOURS = tuple(PALETTE)

NATURAL: dict[str, tuple[int, int, int]] = {
    "brick": (165, 78, 52),
    "wooden": (176, 120, 68),
    "planks": (168, 118, 72),
    "bark": (110, 84, 60),
    "marble": (235, 232, 228),
    "stone": (150, 146, 138),
    "concrete": (178, 176, 172),
    "mossy": (135, 130, 122),
    "cracked": (150, 140, 128),
    "tiles": (210, 225, 230),
    "metal": (200, 202, 206),
    "leather": (120, 68, 36),
    "woven": (196, 160, 108),
    "scales": (40, 120, 70),
    "fur": (176, 130, 84),
    "leaves": (56, 130, 36),
    "clay": (186, 108, 74),
    "glass": (210, 235, 230),
    "plain": (205, 200, 192),
    "plastic": (230, 225, 215),
}
# What these are made of is their colour: they never take a colour word.
FIXED = frozenset({"rusty", "gold", "copper", "chrome", "lava", "ice", "mossy"})
TWO_TONE = frozenset({"striped", "zigzag", "checkered", "spotted"})


def linear(rgb: tuple[int, int, int] | tuple[float, float, float]) -> Tensor:
    """sRGB 0..255 to linear 0..1."""
    value = torch.tensor([float(c) for c in rgb]) / 255
    return torch.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb(value: Tensor) -> Tensor:
    """Linear 0..1 to sRGB 0..1."""
    value = value.clamp(0, 1)
    return torch.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


def colour_votes(rgb: Tensor) -> dict[str, float]:
    """Share of each colour word among (N, 3) uint8 or 0..1 sRGB pixels, shading set aside."""
    pixels = rgb.float() / 255 if rgb.dtype == torch.uint8 else rgb.float()
    high, low = pixels.amax(-1), pixels.amin(-1)
    chroma = high - low
    r, g, b = pixels.unbind(-1)
    safe = chroma.clamp(min=1e-6)
    hue = torch.where(
        high == r,
        ((g - b) / safe) % 6,
        torch.where(high == g, (b - r) / safe + 2, (r - g) / safe + 4),
    )
    hue, saturation = hue * 60, chroma / high.clamp(min=1e-6)
    words = _hue_words(hue, saturation, high)
    warm = (hue > 8) & (hue < 50) & (high < 0.85)  # grey under an evening sun
    neutral = (saturation < torch.where(warm, 0.37, 0.22)) | (chroma < 0.07)
    grey = torch.where(high > 0.66, 9, torch.where(high > 0.25, 10, 11))
    words = torch.where(neutral, grey, words)
    counts = torch.bincount(words, minlength=len(COLOURS)).float() / max(len(words), 1)
    return dict(zip(COLOURS, counts.tolist(), strict=True))


def _hue_words(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Index into COLOURS for chromatic pixels."""
    bounds = torch.tensor([14.0, 42.0, 68.0, 165.0, 204.0, 252.0, 296.0, 344.0], device=hue.device)
    by_hue = torch.tensor([0, 1, 2, 3, 4, 5, 6, 7, 0], device=hue.device)
    words = by_hue[torch.bucketize(hue, bounds)]
    dull = (hue > 8) & (hue < 46) & ((value < 0.5) | (saturation < 0.55)) & (value < 0.8)
    words = torch.where(dull, 8, words)
    pale_red = ((hue >= 335) | (hue <= 12)) & (saturation < 0.62) & (value > 0.6)
    return torch.where(pale_red, 7, words)


def dominant_colour(rgb: Tensor) -> str:
    """The colour word of an object's (N, 3) sRGB pixels.

    A hue that covers three tenths wins over the neutral colours (checkers are half white); a
    neutral object is white where its lit part is.
    """
    votes = colour_votes(rgb)
    hues = {word: votes[word] for word in COLOURS[:9]}
    if sum(hues.values()) >= 0.3:
        return max(hues, key=lambda word: hues[word])
    if votes["black"] >= max(votes["white"], votes["grey"]):
        return "black"
    return "white" if votes["white"] > 0.6 * votes["grey"] else "grey"
