"""The model card that lies next to the weights."""

from __future__ import annotations

from pathlib import Path

from underpaint_starter.networks.models import NOISE_SHIFT, Networks, parameter_count
from underpaint_starter.training.config import TrainConfig

_CARD = """---
license: cc0-1.0
library_name: diffusers
pipeline_tag: text-to-image
tags: [controlnet, depth, normal, guide, cpu]
---
# Underpaint starter model

A small latent-diffusion model in the standard diffusers layout (StableDiffusionPipeline with
`controlnet_depth/`, `controlnet_normal/` and `controlnet_guide/` beside it). It paints simple
scenes over their depth or normals, offline, on a laptop's processor.

What it is, plainly: with the guide (where on its surface each pixel lies,
`underpaint_daemon/worker/guide.py`) a neural shader that is driven by text: bricks, planks, tiles,
checks, stripes, scales, cracks stand where the guide puts them, the same from every side. Without
the guide it paints forms and colours, and its surfaces are soft.

| part | million weights |
| --- | --- |
{sizes}

Native size {native} px, usable 192-512; four latent channels at a quarter of the image's side;
v-prediction to zero terminal SNR, trailing steps, on a noise schedule shifted by {shift:g}
(`trained_betas`). What it wants by default stands in `underpaint.json`: depth and guide, LCM, one
step, no guidance (it was taught its colours without; with it they burn), the picture decoded in
windows of 64 px, as the decoder learnt it (given a whole picture it makes light, even surfaces up
to ten grey levels too light). Denoiser and decoder are soft: where a painting turns out to be a
pattern of its guide, the pattern is read off it as a table of colours by the guide's values, freed
of the blur, and drawn again (`guide_detail`, the daemon's `pipelines/finishing/pattern.py`); the
rest is sharpened by 0.8. Of more steps it learnt little. No LoRA and no IP-Adapter of its own lie
beside the parts: they can be trained (`lora`, `ip_adapter`), but what was trained missed what
`underpaint-dev eval adapters` asks for.

## Data
About {scenes} scenes rendered by `underpaint_starter/scenes/dataset.py` from seeds: shapes,
procedural materials, grounds, lights and English captions of our own. What a caption does not say
is always the same (light grey studio, daylight outdoors, light from the camera's left), so that
nothing has to be guessed. `words.json` has the words of these captions and what else means the
same: a prompt of another form is put as a caption first. No picture, text or weight of others went
into it. Data and weights are dedicated to the public domain (CC0 1.0).

## Training
The autoencoder begins with a closed-form code (the four leading principal components of 4x4
patches, whitened); encoder and decoder then learn together, the latents held near that code.
Denoiser, the ControlNets of depth and normals and the text encoder were trained together from
scratch, at {stages} px in turn, with Muon. A part of the steps starts from the networks' own
guesses instead of true pictures, which keeps sampling in few steps clean, and another part is the
first sampling step alone. Beside the squared error, so that surfaces are not painted as their
mean, local contrast is matched at three scales (`losses.detail_loss`), and what a small network
that tells materials apart sees in a window (`reader.texture_loss`); decoder and denoiser can be
finished with a patch discriminator too (`adversary.py`).

The guide came after, in some two hours of one core, over the finished networks
(`underpaint_starter/guided.py`): text encoder and pooled text learn to say a code for each material
and colour (what the encoder says to all else is held); the guide's first block learns under these
codes, without a denoiser, which latents they make of the guide; then block and the denoiser's last
block together learn to paint true latents, over cached features of all that lies below, while rows
without a guide are held to what was painted before. Faint patterns count as much as bold ones, and
near the end a discriminator, which sees the guide beside the latents, asks for detail as strong as
the true one. The decoder was trained on with a patch
discriminator, the encoder fixed. Training pictures are windows of rendered views, each view
painted in ten materials and colours, so that no shape and no colour stands for a material.

Again, or further: `underpaint train-starter --work FOLDER` (`--preset cpu|gpu`, resumable; settings
in `underpaint_starter/training/presets.toml`); the guide and the decoder alone, by minutes:
`--deadline SECONDS`, then `--join`.

## Figures
`underpaint eval starter --json` measures them on unseen scenes, with the same measures on real
renders as the ceiling.{figures}

## Limits
It knows the words of its captions and little else: no people's likenesses, no writing, no
photographs of real places. Fur, marble, ice and metals come out soft even with the guide, and so
does anything finer than about ten pixels. The ground that things stand on is left out of the guide
by the daemon; a floor that does not reach the picture's edge wears the material too.
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
        figures=f"\n\n{figures}" if figures else "",
    )
    (folder / "README.md").write_text(text, "utf-8")
