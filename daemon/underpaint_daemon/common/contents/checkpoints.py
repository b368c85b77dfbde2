"""What goes with a single-file checkpoint and is not in it: configurations and a noise schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..model_files import INDEX, read_json
from ..single_files import Checkpoint, config_folder


def configs_of(found: Checkpoint) -> Path:
    """The folder of a checkpoint's configurations: beside it and named like it, where there is
    one, else what ships with the daemon."""
    beside = found.path.with_suffix("")
    return beside if (beside / INDEX).is_file() else config_folder(found.configs)


def schedule_of_checkpoint(found: Checkpoint) -> dict[str, Any]:
    """The noise schedule: its family's, with what the file says about itself."""
    config = read_json(configs_of(found) / "scheduler" / "scheduler_config.json")
    return with_prediction(config, found.prediction, zero_snr=found.zero_snr or None)


def with_prediction(
    config: dict[str, Any], prediction: str | None, *, zero_snr: bool | None
) -> dict[str, Any]:
    """A schedule with what is known better. None leaves it as it is."""
    if prediction is not None:
        config = config | {"prediction_type": prediction}
    if zero_snr is not None:
        config = config | {"rescale_betas_zero_snr": zero_snr}
    return config | {"timestep_spacing": "trailing"} if zero_snr else config
