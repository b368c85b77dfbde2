"""What each sampler is good for, in a line."""

from __future__ import annotations

from .requests import Sampler

ABOUT_SAMPLERS = {
    Sampler.DDPM: "The original ancestral sampler; needs many steps (50 and up).",
    Sampler.DDIM: "Deterministic and plain; 20–50 steps.",
    Sampler.EULER: "Deterministic and fast; 15–30 steps.",
    Sampler.EULER_A: "Ancestral Euler: adds noise each step, varied results; 20–40 steps.",
    Sampler.DPMPP_2M: "DPM-Solver++ 2M: good in few steps (6–25).",
    Sampler.DPMPP_2M_KARRAS: "DPM-Solver++ 2M on Karras noise levels: crisp detail; 15–30 steps.",
    Sampler.DPMPP_2M_SDE: "Stochastic DPM-Solver++ 2M: richer texture; 20–40 steps.",
    Sampler.DPMPP_2M_SDE_KARRAS: "Stochastic DPM-Solver++ 2M on Karras noise levels; 20–40 steps.",
    Sampler.UNIPC: "UniPC: a corrector for few steps (6–15).",
    Sampler.LCM: "Few steps (2–8), guidance 1–3: distilled models and LoRAs.",
}
