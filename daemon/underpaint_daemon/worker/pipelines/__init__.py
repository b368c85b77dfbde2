"""Diffusion: models, samplers, conditioning, and the runner of image requests.

The environment is set before any model library is imported: they read it once, at import. Models
come from the disk alone; nothing here may reach the network.
"""

import os
import warnings

from .deferred import later

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}
os.environ.update(OFFLINE)
warnings.filterwarnings("ignore", message=".*requires torchvision.*")
later("scipy.stats")  # a second of a processor; diffusers' schedulers want it for beta sigmas alone
