"""What each family of models can do, as one table. No torch.

A request is held against its row before anything heavy is loaded: what a family cannot do is
refused by name, with the reason and what can be done instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from underpaint.requests import ControlKind, Method, Sampler


class Guidance(StrEnum):
    """How a family is told to follow the words more closely."""

    CLASSIFIER_FREE = "classifier_free"
    """Each step is taken twice, with the words and without; 1 = off."""
    EMBEDDED = "embedded"
    """The scale is an input of the network; no second pass, no negative prompt."""
    NONE = "none"
    """Distilled away: the scale has no effect."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """One family's row. `text`, `image`, `mask`: how a picture can begin. `control`: with which of
    them a ControlNet goes together, by these names. `references`: pictures that it can read beside
    the words; `needs_reference`: it edits, and paints nothing without one. `flow`: trained by flow
    matching (else ε or v, as its scheduler's config says). `cell`: sides are multiples of so many
    pixels; `side`: those that it was made for. `inner_control`: the controls whose picture goes
    into its own channels, without a ControlNet; it needs one of them. `image_guidance`: the usual
    scale by which it keeps to the picture that it edits; None of those that have none.
    `ip_adapter`: references go through one; `attention`: they are seen by the UNet's own attention.
    `reads_weights`: of words, like `(this:1.3)`.
    `regions`: prompts for parts of a picture. `curves`: guidance and LoRAs that change over the
    steps. `why`: reasons for what it cannot, by the field's
    name.
    """

    title: str
    text: bool = True
    image: bool = True
    mask: bool = True
    control: frozenset[str] = frozenset()
    references: int = 0
    needs_reference: bool = False
    lora: bool = True
    flow: bool = True
    guidance: Guidance = Guidance.CLASSIFIER_FREE
    negative: bool = True
    tile: bool = False
    samplers: tuple[Sampler, ...] = (Sampler.EULER, Sampler.UNIPC)
    texture: tuple[Method, ...] = ()
    cell: int = 16
    side: int = 1024
    inner_control: tuple[ControlKind, ...] = ()
    image_guidance: float | None = None
    ip_adapter: bool = False
    attention: bool = False
    reads_weights: bool = False
    regions: bool = False
    curves: bool = False
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def reads(self) -> bool:
        """Whether it reads references beside the words, of any role."""
        return self.references > 0 and not (self.ip_adapter or self.attention)


def told_abilities(family: str, *, looks: bool = True) -> tuple[str, ...]:
    """What a family can do beside text, as the wire's model record says it. looks: the model sees
    pictures by its attention, where its family does."""
    able = ABILITIES[family]
    can = {
        "image": able.image,
        "mask": able.mask,
        "references": able.references > 0,
        "ip_adapter": able.ip_adapter,
        "attention": able.attention and looks,
        "loras": able.lora,
        "negative": able.negative,
        "image_guidance": able.image_guidance is not None,
        "curves": able.curves,
        "regions": able.regions,
        "controls": bool(able.control) and not able.inner_control,
    }
    return tuple(name for name, whether in can.items() if whether)


_ALL = frozenset({"text", "image", "mask"})
_TEXT = frozenset({"text"})
_DENOISING = tuple(sampler for sampler in Sampler)
_METHODS = (Method.SYNC, Method.GRID_SYNC, Method.SEQUENTIAL, Method.SINGLE)
_NO_TEXTURE = (
    "Its views have not been denoised together yet; those of SD 1.5, SD 2, SDXL, SD 3.5, FLUX, "
    "Kontext, Qwen-Image and its editors, Z-Image and Sana are."
)
_EDITS = "It edits: give the picture as a reference, and say in words what is to change."
_INSTRUCTS = (
    "It edits: give the picture to start from (--init), and say in words what is to change."
)
_EDITS_WHOLE = "It was made to edit whole pictures; take an inpainting model."
_KEEPS_FORM = "It has no ControlNet; depth and normals go in as reference pictures."
_ONE_PICTURE = (
    "A control is a picture for it, too: leave it out (--control none) to give one of yours."
)
_NO_PICTURES = "FLUX.1 Kontext reads references."
_SEEN = 4  # each costs one more pass of the UNet
_ITS_PICTURE = "It goes by one picture: the one that it edits (--init)."
_FINISHES = "It finishes pictures of SDXL: give one (--init), with a strength of about 0.25."
_NO_NETWORK = "No ControlNet of this family is known to diffusers."

_NO_FILE = (
    "Underpaint has no file for this family: diffusers' own pipeline paints from words, and from a "
    "picture where it can."
)
_OF_BLOCKS = (
    "A modular pipeline's blocks paint from words, and from a picture where they can. The same "
    "model as a folder with model_index.json, if its makers have one, can do what its family can."
)
_NEITHER = ("mask", "control", "references", "lora", "texture", "tile", "regions", "curves")


def _foreign(
    title: str = "a family that Underpaint has no file for",
    reason: str = _NO_FILE,
    *,
    image: bool = True,
) -> Abilities:
    """Sides of whole 64 pixels: the coarsest grid of any of diffusers' transformers."""
    denied = _NEITHER if image else (*_NEITHER, "image")
    return Abilities(
        title,
        image=image,
        mask=False,
        lora=False,
        samplers=(Sampler.EULER,),
        cell=64,
        why=dict.fromkeys(denied, reason),
    )


ABILITIES: Mapping[str, Abilities] = {
    "sd15": Abilities(
        "Stable Diffusion 1.5 and 2", control=_ALL, references=_SEEN, flow=False, tile=True,
        samplers=_DENOISING, texture=_METHODS, cell=8, ip_adapter=True, attention=True,
        reads_weights=True, regions=True, curves=True,
    ),
    "sdxl": Abilities(
        "Stable Diffusion XL", control=_ALL, references=_SEEN, flow=False, tile=True,
        samplers=_DENOISING, texture=_METHODS, cell=8, ip_adapter=True, attention=True,
        reads_weights=True, regions=True, curves=True,
    ),
    "sd15_edit": Abilities(
        "InstructPix2Pix", text=False, mask=False, flow=False, samplers=_DENOISING, cell=8,
        curves=True, reads_weights=True, image_guidance=1.5, side=512,
        why={"text": _INSTRUCTS, "mask": _EDITS_WHOLE,
             "control": "It keeps the picture's form by itself (--image-guidance).",
             "references": _ITS_PICTURE,
             "texture": "It edits pictures."},
    ),
    "sdxl_edit": Abilities(
        "InstructPix2Pix of SDXL", text=False, mask=False, flow=False, samplers=_DENOISING, cell=8,
        reads_weights=True, image_guidance=1.5, side=1024,
        why={"text": _INSTRUCTS, "mask": _EDITS_WHOLE,
             "control": "It keeps the picture's form by itself (--image-guidance).",
             "references": _ITS_PICTURE,
             "texture": "It edits pictures."},
    ),
    "sd2_depth": Abilities(
        "Stable Diffusion 2 depth2img", mask=False, control=frozenset({"text", "image"}),
        inner_control=(ControlKind.DEPTH,), flow=False, samplers=_DENOISING, cell=8,
        curves=True, reads_weights=True, regions=True, side=512, references=_SEEN, attention=True,
        why={"mask": "diffusers has no inpainting for it.", "inner_control": "Give a view, a depth "
             "map, or a picture of one (--control depth=IMAGE).", "texture": _NO_TEXTURE},
    ),
    "sdxl_refiner": Abilities(
        "SDXL's refiner", text=False, lora=False, flow=False, samplers=_DENOISING,
        cell=8, curves=True, reads_weights=True, references=_SEEN, attention=True,
        why={"text": _FINISHES, "control": "No ControlNet was made for it.",
             "texture": _FINISHES,
             "lora": "LoRAs are made for SDXL itself."},
    ),
    "sd35": Abilities(
        "Stable Diffusion 3.5", control=_TEXT,
        texture=_METHODS,
        why={
            "control": "diffusers joins its ControlNets to text alone, and to masks only that of "
            "one maker that takes no other picture.",
            "references": "Its IP-Adapter is not read yet.",
        },
    ),
    "flux1": Abilities(
        "FLUX.1 dev and schnell", control=_ALL, guidance=Guidance.EMBEDDED, negative=False,
        texture=_METHODS,
        why={"negative": "It is guided by an embedded scale.",
             "references": "Its IP-Adapter is not read yet; FLUX.1 Kontext reads references."},
    ),
    "flux1_fill": Abilities(
        "FLUX.1 Fill", text=False, image=False, guidance=Guidance.EMBEDDED, negative=False,
        why={"text": "It fills masks and nothing else.", "image": "It fills masks and nothing "
             "else.", "control": "It was made to fill masks by words alone.",
             "references": _NO_PICTURES, "texture": "It was made to fill masks of pictures."},
    ),
    "flux1_kontext": Abilities(
        "FLUX.1 Kontext", image=False, references=1, guidance=Guidance.EMBEDDED, negative=False,
        texture=_METHODS,
        why={"image": _EDITS, "control": _KEEPS_FORM, "references": _ONE_PICTURE},
    ),
    "flux1_control": Abilities(
        "FLUX.1 Depth and Canny", control=_ALL,
        inner_control=(ControlKind.DEPTH, ControlKind.CANNY),
        guidance=Guidance.EMBEDDED, negative=False,
        texture=_METHODS,
        why={"references": _NO_PICTURES},
    ),
    "flux2": Abilities(
        "FLUX.2 dev", image=False, mask=False, references=8, guidance=Guidance.EMBEDDED,
        negative=False,
        texture=_METHODS,
        why={"image": _EDITS, "mask": "diffusers has no inpainting for it.",
             "control": _KEEPS_FORM},
    ),
    "flux2_klein": Abilities(
        "FLUX.2 Klein", image=False, references=4, negative=False,
        texture=_METHODS,
        why={"image": _EDITS, "control": _KEEPS_FORM,
             "negative": "Its pipeline takes none."},
    ),
    "qwen_image": Abilities(
        "Qwen-Image", control=_TEXT, side=1328,
        texture=_METHODS,
        why={"control": "diffusers joins its ControlNets to text alone.",
             "references": "Qwen-Image-Edit reads references."},
    ),
    "qwen_edit": Abilities(
        "Qwen-Image-Edit", image=False, references=1, needs_reference=True,
        texture=_METHODS,
        why={"image": _EDITS, "control": _KEEPS_FORM, "references": _ONE_PICTURE},
    ),
    "qwen_edit_plus": Abilities(
        "Qwen-Image-Edit 2509 and 2511", image=False, mask=False, references=3,
        needs_reference=True,
        texture=_METHODS,
        why={"image": _EDITS, "mask": "diffusers has no inpainting for it; Qwen-Image-Edit has.",
             "control": _KEEPS_FORM},
    ),
    "z_image": Abilities(
        "Z-Image", control=frozenset({"text", "mask"}), samplers=(Sampler.EULER,),
        texture=_METHODS,
        why={"control": "diffusers does not join its ControlNets to a picture to start from.",
             "references": "It was trained on words alone."},
    ),
    "chroma": Abilities(
        "Chroma", mask=False,
        why={"mask": "diffusers 0.42's inpainting for it cannot run: it reads a setting that the "
             "network does not have.", "control": _NO_NETWORK,
             "references": "It was trained on words alone.",
             "texture": "It has no ControlNet that shows it the mesh's form."},
    ),
    "sana": Abilities(
        "Sana", image=False, mask=False, control=_TEXT, cell=32,
        samplers=(Sampler.EULER, Sampler.DPMPP_2M),
        texture=_METHODS,
        why={"image": "diffusers has no pipeline for it.", "mask": "diffusers has no pipeline for "
             "it.", "references": "It was trained on words alone."},
    ),
    "auto": _foreign(image=False),
    "auto_image": _foreign(),
    "modular": _foreign(title="a modular pipeline", reason=_OF_BLOCKS),
    "modular_text": _foreign(title="a modular pipeline", reason=_OF_BLOCKS, image=False),
}  # fmt: skip
"""By family."""
FOREIGN_FAMILIES = ("auto", "auto_image", "modular", "modular_text")
"""Of pipelines that Underpaint has no file for."""
