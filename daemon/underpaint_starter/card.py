"""The model card that lies next to the weights."""

from __future__ import annotations

from pathlib import Path

from underpaint_starter.networks.models import NOISE_SHIFT, Networks, parameter_count
from underpaint_starter.networks.painter import DEFAULT_GUIDANCE, DEFAULT_STEPS
from underpaint_starter.training.config import TrainConfig

_CARD = """---
license: cc0-1.0
library_name: diffusers
pipeline_tag: text-to-image
tags: [controlnet, depth, normal, cpu]
---
# Underpaint starter model

A small latent-diffusion model in the standard diffusers layout (StableDiffusionPipeline with
`controlnet_depth/` and `controlnet_normal/` beside it). It paints simple scenes of one to three
objects over their depth or normals, offline, on a laptop's processor.

| part | million weights |
| --- | --- |
{sizes}

Native size {native} px, usable 192-512; four latent channels at a quarter of the image's side;
v-prediction to zero terminal SNR, trailing steps, on a noise schedule shifted by {shift:g}
(`trained_betas`). Defaults: {sampler}, {steps} steps, guidance {guidance:g}. Beside the parts lie a
style LoRA (`loras/ink.safetensors`: ink on warm paper) and an IP-Adapter (`ip_adapter/`) with its
own small image encoder.

## Data
About {scenes} scenes rendered by `underpaint_starter/scenes/dataset.py` from seeds: shapes,
procedural
materials, grounds, lights and English captions of our own. What a caption does not say
is always the same (light grey studio, daylight outdoors, light from the camera's left), so that
nothing has to be guessed. No picture, text or weight of others
went into it. Data and weights are dedicated to the public domain (CC0 1.0).

## Training
The autoencoder begins with a closed-form code (the four leading principal components of 4x4
patches, whitened); encoder and decoder then learn together, the latents held near that code.
Denoiser, both ControlNets and the text encoder are trained together from scratch, at {stages} px
in turn, with Muon. A part of the steps starts from the networks' own guesses instead of true
pictures, which keeps sampling in few steps clean, and another part is the first sampling step
alone. Beside the squared error, so that surfaces are not painted as their mean, local contrast is
matched at three scales (`losses.detail_loss`), and what a small network that tells materials apart
sees in a window (`reader.texture_loss`); decoder and denoiser can be finished with a patch
discriminator too (`adversary.py`).
Again, or further: `underpaint train-starter --work FOLDER` (`--preset cpu|gpu`, resumable; settings
in `underpaint_starter/training/presets.toml`).

## Figures
`underpaint eval starter --json` measures them on unseen scenes, with the same measures on real
renders as the ceiling.{figures}

## Limits
It knows the words of its captions and little else: no people's likenesses, no writing, no
photographs of real places. Small objects and fine patterns come out soft.
"""


def write_card(folder: Path, networks: Networks, config: TrainConfig, figures: str = "") -> None:
    """Write README.md; `figures`: a Markdown table of measures."""
    rows = [
        f"| {name} | {parameter_count(net) / 1e6:.1f} |" for name, net in networks.named().items()
    ]
    stages = ", ".join(str(stage.size) for stage in config.diffusion.stages)
    text = _CARD.format(
        sizes="\n".join(rows),
        native=config.diffusion.stages[-1].size,
        scenes=config.scenes,
        stages=stages,
        shift=NOISE_SHIFT,
        sampler="LCM",
        steps=DEFAULT_STEPS,
        guidance=DEFAULT_GUIDANCE,
        figures=f"\n\n{figures}" if figures else "",
    )
    (folder / "README.md").write_text(text, "utf-8")
