"""Samplers as diffusers schedulers, built anew for every run so that no state leaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import diffusers
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    LCMScheduler,
    UniPCMultistepScheduler,
)

from underpaint.requests import Sampler, Spacing

from .foreign.classes import parameters

# What belongs to the model: its noise levels and what its network predicts. All else belongs to
# the sampler; taking the whole config over would carry one scheduler's settings into another.
_OF_THE_MODEL = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "rescale_betas_zero_snr",
    "timestep_spacing",
    "set_alpha_to_one",
)
# Latents are not bounded by 1; `steps_offset` 1 is what Stable Diffusion's schedules assume.
_ALWAYS = {"clip_sample": False, "thresholding": False, "steps_offset": 1}
_LARGEST_KARRAS_SIGMA = 20.0
_OF_DDPM = frozenset(_OF_THE_MODEL) & set(parameters(DDPMScheduler.__init__))
# What is left of the picture at each timestep of Stable Diffusion's schedule.
_REFERENCE = (1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2).cumprod(0)
_LCM_SCHEDULE_STEPS = 50
_FIRST_PART = 0.1  # of the schedule, of Spacing.FIRST


class _FirstPart(LCMScheduler):  # type: ignore[misc]
    """LCM whose steps all lie where the picture is noise still: each begins anew from there, so
    that a model which learnt its first step alone gets no worse by more of them."""

    def set_timesteps(self, num_inference_steps: int, device: Any = None, **more: Any) -> None:
        """As LCM's, but for where the steps lie."""
        super().set_timesteps(num_inference_steps, device, **more)
        length = self.config.num_train_timesteps
        part = max(num_inference_steps, round(_FIRST_PART * length))
        steps = [length - 1 - k * part // num_inference_steps for k in range(num_inference_steps)]
        self.timesteps = torch.tensor(steps, device=device)


_FORMS: Mapping[Sampler, tuple[Any, Mapping[str, Any]]] = {
    Sampler.DDPM: (DDPMScheduler, {}),
    Sampler.DDIM: (DDIMScheduler, {}),
    Sampler.EULER: (EulerDiscreteScheduler, {}),
    Sampler.EULER_A: (EulerAncestralDiscreteScheduler, {}),
    Sampler.DPMPP_2M: (DPMSolverMultistepScheduler, {}),
    Sampler.DPMPP_2M_KARRAS: (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    Sampler.DPMPP_2M_SDE: (DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++"}),
    Sampler.DPMPP_2M_SDE_KARRAS: (
        DPMSolverMultistepScheduler,
        {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
    ),
    Sampler.UNIPC: (UniPCMultistepScheduler, {}),
    Sampler.LCM: (LCMScheduler, {}),
}

_FLOW_CLASS = "FlowMatch"
_FLOW_EULER = "FlowMatchEulerDiscreteScheduler"
# Whose noise levels are those of the ones here; only their steps differ.
_ALIKE = {
    "DEISMultistepScheduler", "DPMSolverSDEScheduler", "DPMSolverSinglestepScheduler",
    "HeunDiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "KDPM2DiscreteScheduler",
    "LMSDiscreteScheduler", "PNDMScheduler", "TCDScheduler",
}  # fmt: skip
# What belongs to a model of flow matching: how its noise levels shift with the picture's size.
_OF_THE_FLOW = (
    "num_train_timesteps",
    "shift",
    "use_dynamic_shifting",
    "base_shift",
    "max_shift",
    "base_image_seq_len",
    "max_image_seq_len",
    "shift_terminal",
    "time_shift_type",
)
_FLOW_SOLVER = {
    "prediction_type": "flow_prediction",
    "use_flow_sigmas": True,
    "thresholding": False,
}
_FLOW_FORMS: Mapping[Sampler, tuple[Any, Mapping[str, Any]]] = {
    Sampler.EULER: (FlowMatchEulerDiscreteScheduler, {}),
    Sampler.UNIPC: (UniPCMultistepScheduler, _FLOW_SOLVER),
    Sampler.DPMPP_2M: (DPMSolverMultistepScheduler, _FLOW_SOLVER),
}


_LEARNED = "learned"


def is_flow(config: Mapping[str, Any]) -> bool:
    """Whether a scheduler's config is of flow matching."""
    named = str(config.get("_class_name", "")).startswith(_FLOW_CLASS)
    # A live scheduler's config names no class; only those of flow matching have a shift.
    solver = config.get("prediction_type") == "flow_prediction"
    return named or solver or ("shift" in config and "beta_schedule" not in config)


def is_foreign(config: Mapping[str, Any]) -> bool:
    """Whether the samplers here do not have a config's noise levels; what is of flow matching and
    Euler's they have, but not all of its settings. Nor do they take a variance that a network
    learnt."""
    name = str(config.get("_class_name", ""))
    if str(config.get("variance_type")).startswith(_LEARNED):
        return True
    ours = {kind.__name__ for kind, _ in _FORMS.values()} | _ALIKE
    return bool(name) and name not in ours and (name == _FLOW_EULER or not is_flow(config))


def as_it_is(config: Mapping[str, Any]) -> Any:
    """The scheduler that a config names, with all its settings. Raises LookupError of one that
    diffusers does not have."""
    kind = getattr(diffusers, str(config["_class_name"]), None)
    if kind is None or not hasattr(kind, "from_config"):
        raise LookupError(f"this diffusers knows no {config['_class_name']}")
    return kind.from_config(dict(config))


def _flow_scheduler(model_config: Mapping[str, Any], sampler: Sampler) -> Any:
    kind, form = _FLOW_FORMS[sampler]
    known = parameters(kind.__init__)
    settings = {key: model_config[key] for key in _OF_THE_FLOW if key in model_config}
    settings.setdefault("shift", model_config.get("flow_shift", 1.0))
    settings |= {"flow_shift": settings["shift"]} | dict(form)
    return kind(**{key: value for key, value in settings.items() if key in known})


def make_scheduler(
    model_config: Mapping[str, Any],
    sampler: Sampler,
    steps: int = 1,
    spacing: Spacing | None = None,
    strength: float = 1.0,
) -> Any:
    """A fresh diffusers scheduler for a model's scheduler config.

    The model's noise schedule, prediction type and (for zero terminal SNR) trailing spacing are
    kept. `steps`: how many will be asked of it; LCM widens its schedule when they exceed 50.
    `spacing`: in place of the config's. `strength`: below 1 the schedule is only its last part,
    from as much noise as Stable Diffusion's own has there: models whose noise lies otherwise in
    their schedule keep as much of a picture at the same strength.
    """
    if is_flow(model_config):
        return _flow_scheduler(model_config, sampler)
    kind, form = _FORMS[sampler]
    known = parameters(kind.__init__)
    settings = {key: model_config[key] for key in _OF_THE_MODEL if key in model_config}
    if spacing is Spacing.FIRST:
        kind = _FirstPart if sampler is Sampler.LCM and strength >= 1 else kind
    elif spacing is not None:
        settings["timestep_spacing"] = spacing.value
    if settings.get("rescale_betas_zero_snr"):
        settings["timestep_spacing"] = "trailing"
    settings.update(_ALWAYS | dict(form))
    if strength < 1:
        settings |= _last_part(settings, strength, steps)
    if sampler is Sampler.LCM:
        settings["original_inference_steps"] = _lcm_steps(settings, steps)
    scheduler = kind(**{key: value for key, value in settings.items() if key in known})
    if form.get("use_karras_sigmas"):
        _bound_karras(scheduler)
    return scheduler


def _last_part(settings: Mapping[str, Any], strength: float, steps: int) -> dict[str, Any]:
    """The settings of a schedule that begins where a strength says and goes on as this one; of at
    least as many timesteps as steps are asked of it."""
    kept = DDPMScheduler(**{k: v for k, v in settings.items() if k in _OF_DDPM}).alphas_cumprod
    there = round(strength * len(_REFERENCE))
    length = max(steps, int((kept >= _REFERENCE[max(0, there - 1)] - 1e-5).sum()))
    before = torch.cat((torch.ones(1, dtype=torch.float64), kept.double()[: length - 1]))
    return {
        "num_train_timesteps": length,
        "trained_betas": (1 - kept.double()[:length] / before).tolist(),
        "rescale_betas_zero_snr": False,
        "timestep_spacing": "trailing",
    }


def _lcm_steps(settings: Mapping[str, Any], steps: int) -> int:
    """In how many steps an LCM's schedule is counted: at least those that are asked for, and so
    that the first of them is the schedule's last timestep."""
    length = int(settings.get("num_train_timesteps", len(_REFERENCE)))
    wanted = max(_LCM_SCHEDULE_STEPS, steps)
    return length // max(1, length // wanted)


def _bound_karras(scheduler: Any) -> None:
    """Start Karras levels where the image is noise for all purposes.

    A zero-terminal-SNR schedule ends at sigma 4096, and Karras spacing would spend most of the
    steps up there.
    """
    alphas = scheduler.alphas_cumprod
    sigmas = ((1 - alphas) / alphas) ** 0.5
    if float(sigmas.max()) > _LARGEST_KARRAS_SIGMA:
        bound = float(sigmas[sigmas <= _LARGEST_KARRAS_SIGMA].max())
        scheduler.register_to_config(sigma_max=bound)
