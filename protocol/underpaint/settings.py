"""The settings of a machine: `config.toml` in the data folder, and environment variables.

What counts, in this order: a command's own option, the environment variable, the file, the
default. `SETTINGS` is the schema; `underpaint config list` prints it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ErrorCode, RequestError, why
from .paths import Paths

Value = float | int | str
FILE = "config.toml"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. Its type is its default's. `low`, `high`: the range of a number."""

    name: str
    default: Value
    told: str
    low: float = 0.0
    high: float = 1e9

    @property
    def variable(self) -> str:
        """The environment variable that overrides the file."""
        return f"UNDERPAINT_{self.name.upper()}"

    def parsed(self, value: object, where: str) -> Value:
        """A value as the setting's type. Raises RequestError(BAD_REQUEST) that names `where`."""
        if isinstance(self.default, str):
            if isinstance(value, bool) or not isinstance(value, (str, int)):
                raise self._refused(value, where, "text")
            return str(value)  # a number without quotes, as `gpu = 1`, is meant as one
        kind = type(self.default)
        try:
            number = kind(value) if isinstance(value, (str, int, float)) else None
        except (ValueError, OverflowError):
            number = None
        if number is None or isinstance(value, bool) or not self.low <= number <= self.high:
            raise self._refused(value, where, f"a number from {self.low:g} to {self.high:g}")
        return number

    def _refused(self, value: object, where: str, expected: str) -> RequestError:
        return RequestError(
            ErrorCode.BAD_REQUEST,
            f"{where}: {self.name} is {value!r}; expected {expected}",
            hint=f"Correct it there (or run `underpaint config unset {self.name}`).",
        )


_DAY_MINUTES = 60 * 24
SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "idle_exit_minutes",
            60.0,
            "the daemon ends after so long without clients and jobs; 0 = never",
            high=365 * _DAY_MINUTES,
        ),
        Setting(
            "idle_unload_minutes",
            5.0,
            "the worker gives its memory back after so long without jobs",
            high=365 * _DAY_MINUTES,
        ),
        Setting(
            "cancel_grace_seconds", 2.0, "a hard cancel waits so long before it kills", high=3600
        ),
        Setting("results_days", 30.0, "results that nobody fetched are kept so long", 0.01, 36_500),
        Setting("results_mb", 10_000, "room for results that were fetched"),
        Setting("buffers_mb", 4_000, "room for captured buffers"),
        Setting(
            "caches_mb",
            20_000,
            "room for what can be made again (digests, unfinished textures)",
        ),
        Setting(
            "gpu",
            "",
            "which GPU: its number, as nvidia-smi counts, or cpu; empty = the first",
        ),
        Setting("worker_memory_mb", 0, "main memory that the worker may use; 0 = all (Linux)"),
    )
}
"""The schema, by name."""


def config_file(paths: Paths) -> Path:
    """Where the settings lie."""
    return paths.data / FILE


def read_settings(paths: Paths, environ: Mapping[str, str] | None = None) -> dict[str, Value]:
    """Every setting's value. Raises RequestError: FILE, BAD_REQUEST."""
    env = os.environ if environ is None else environ
    file = config_file(paths)
    stored = stored_settings(file)
    found: dict[str, Value] = {}
    for name, setting in SETTINGS.items():
        given = env.get(setting.variable, "")
        if given:
            found[name] = setting.parsed(given, setting.variable)
        else:
            found[name] = stored.get(name, setting.default)
    return found


def stored_settings(file: Path, *, but: str = "") -> dict[str, Value]:
    """What the file sets, `but` one, which need not be right; nothing when there is no file. Raises
    RequestError: FILE, BAD_REQUEST."""
    try:
        data = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = "it is no text" if isinstance(error, UnicodeDecodeError) else why(error)
        raise RequestError(
            ErrorCode.FILE, f"{file} cannot be read: {reason}", hint="Mend it, or delete it."
        ) from error
    data.pop(but, None)
    return {name: setting(name, str(file)).parsed(v, str(file)) for name, v in data.items()}


def setting(name: str, where: str) -> Setting:
    """The setting of this name. Raises RequestError(BAD_REQUEST) that lists what there is."""
    if name not in SETTINGS:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"{where}: {name!r} is no setting; known: {', '.join(SETTINGS)}"
        )
    return SETTINGS[name]


def gpu_environment(gpu: str) -> dict[str, str]:
    """What lets CUDA's programs see the GPU of the setting alone: its number as nvidia-smi counts,
    `cpu` for none; empty: all of them."""
    if not gpu:
        return {}
    # CUDA's own order begins with the fastest.
    return {
        "CUDA_VISIBLE_DEVICES": "" if gpu == "cpu" else gpu,
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


def write_settings(file: Path, values: Mapping[str, Value]) -> None:
    """Write the file anew, each setting with what it means. Raises OSError."""
    lines = ["# Underpaint's settings; read when the daemon starts."]
    for name, value in values.items():
        lines += ["", f"# {SETTINGS[name].told}", f"{name} = {_toml(value)}"]
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.replace(file)


def _toml(value: Any) -> str:
    if not isinstance(value, str):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    shown = (c if c.isprintable() else "\\u%04x" % ord(c) for c in escaped)  # noqa: UP031
    return '"' + "".join(shown) + '"'
