"""A new training run that begins with the weights of an exported model."""

from __future__ import annotations

from pathlib import Path

from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from underpaint.errors import ErrorCode, RequestError
from underpaint_starter.judging.judge import load_judge
from underpaint_starter.networks.models import CONTROLS, Networks, make_networks
from underpaint_starter.training.checkpoint import save_weights
from underpaint_starter.training.diffusion_train import CHECKPOINT
from underpaint_starter.training.judge_train import CHECKPOINT as JUDGE_CHECKPOINT


def start_from(model: Path, work: Path) -> None:
    """Give a new work folder the tokenizer, the autoencoder and the networks of an exported starter
    model, and the judge that ships with the daemon. Does nothing when the folder has them already.

    Raises RequestError(FILE) when `model` is not such a folder.
    """
    if (work / CHECKPOINT).exists():
        return
    work.mkdir(parents=True, exist_ok=True)
    networks, vae, tokenizer = read_model(model)
    tokenizer.save_pretrained(work / "tokenizer")
    save_weights(work / "vae.pt", {"vae": vae})
    save_weights(work / JUDGE_CHECKPOINT, {"judge": load_judge()})
    save_weights(work / CHECKPOINT, networks.named())


def read_model(model: Path) -> tuple[Networks, AutoencoderKL, CLIPTokenizer]:
    """The networks of an exported model, in float32; a guide that it lacks is made anew.

    Raises RequestError(FILE) when `model` is none.
    """
    try:
        vae = AutoencoderKL.from_pretrained(model / "vae", local_files_only=True).float()
        tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
        found = _read_networks(model)
    except (OSError, ValueError) as error:
        raise RequestError(
            ErrorCode.FILE, f"{model} is not an exported starter model: {error}"
        ) from error
    networks = make_networks(tokenizer)
    for name, net in networks.named().items():
        if name in found:
            net.load_state_dict({k: v.float() for k, v in found[name].state_dict().items()})
    return networks, vae, tokenizer


def _read_networks(model: Path) -> dict[str, nn.Module]:
    unet = UNet2DConditionModel.from_pretrained(model / "unet", local_files_only=True)
    text = CLIPTextModel.from_pretrained(model / "text_encoder", local_files_only=True)
    controls = {
        f"controlnet_{name}": ControlNetModel.from_pretrained(
            model / f"controlnet_{name}", local_files_only=True
        )
        for name in CONTROLS
        if (model / f"controlnet_{name}").exists()
    }
    return {"unet": unet, "text_encoder": text, **controls}
