"""What the artist reads of each phase of a painting. No bpy."""

from __future__ import annotations

PHASES = {
    "queued": "Waiting",
    "starting": "Starting",
    "running": "Starting",
    "loading": "Loading the model",
    "yielding": "Waits for the GPU",
    "encoding": "Preparing",
    "unwrapping": "Unwrapping",
    "denoising": "Painting",
    "decoding": "Finishing",
    "projecting": "Laying it on the object",
    "saving": "Saving",
    "fetching": "Fetching",
}
