"""A model whose self-attention says aloud what it reads: colours that it sees, it paints.

Its UNet adds to each spot the mean of all spots that its one attention looks at, and nothing else:
what comes out is known in advance. Its VAE and words are the starter's, so colours are colours.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from underpaint_daemon.common.models import starter_folder

_STARTERS = ("vae", "text_encoder", "tokenizer", "model_index.json")
_OWN, _SEEN = 0.7, 0.3
_LOUD = 40.0  # against which latents are small: norms divide by it, and leave them as they are
_WIDTH, _LATENT = 32, 4
_SPOT, _MEAN, _REST = slice(0, 8), slice(8, 16), slice(16, 32)


def build_echo(folder: Path, *, inpaints: bool = False) -> Path:
    """Write the model into a folder. `inpaints`: with nine channels, of which it reads those alone
    in which the picture is without what the mask hides."""
    folder.mkdir(parents=True)
    for name in _STARTERS:
        copied = shutil.copytree if (starter_folder() / name).is_dir() else shutil.copy
        copied(starter_folder() / name, folder / name)
    words = json.loads((starter_folder() / "text_encoder" / "config.json").read_text())
    _network(int(words["hidden_size"]), inpaints).save_pretrained(folder / "unet")
    DDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012,
        prediction_type="sample", timestep_spacing="leading", clip_sample=False, steps_offset=1,
    ).save_pretrained(folder / "scheduler")  # fmt: skip
    wants = {"sampler": "ddim", "steps": 6, "guidance": 1.0, "size": 64}
    (folder / "underpaint.json").write_text(json.dumps(wants))
    return folder


@torch.no_grad()
def _network(cross: int, inpaints: bool) -> UNet2DConditionModel:
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=9 if inpaints else _LATENT, out_channels=_LATENT,
        block_out_channels=(_WIDTH,), layers_per_block=1, norm_num_groups=1,
        cross_attention_dim=cross, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",),
        mid_block_type=None, use_linear_projection=True,
    ).eval()  # fmt: skip
    for name, part in unet.named_parameters():
        if "norm" not in name:
            part.zero_()
    middle, both = (..., 1, 1), torch.cat((torch.eye(_LATENT), -torch.eye(_LATENT)))
    unet.conv_in.weight[middle][_SPOT, -_LATENT:] = both
    unet.conv_in.bias[_REST] = torch.tensor([_LOUD, -_LOUD]).repeat_interleave(8)
    for joined in unet.up_blocks[0].resnets:  # a shortcut past what the way down has kept
        joined.conv_shortcut.weight[:, :_WIDTH, 0, 0] = torch.eye(_WIDTH)
    gain = _LOUD / 2**0.5  # what the norms take away
    last = unet.up_blocks[0].attentions[-1]
    looks = last.transformer_blocks[0].attn1
    last.proj_in.weight[:] = torch.eye(_WIDTH)
    looks.to_v.weight[_SPOT, _SPOT] = torch.eye(8)
    looks.to_out[0].weight[_MEAN, _SPOT] = gain * torch.eye(8)
    last.proj_out.weight[_MEAN, _MEAN] = torch.eye(8)
    unet.conv_out.weight[middle][:, _SPOT] = _OWN * gain * both.T
    unet.conv_out.weight[middle][:, _MEAN] = _SEEN * gain * both.T
    return unet
