"""Where things live on a user's machine. Every root can be moved by an environment variable."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether a file is there; a name that none can have (too long, say) names none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders of one user.

    `runtime`: connection file and locks. `data`: job database, blobs, results, logs.
    `cache`: downloads that can be fetched again (wheels, models).
    """

    runtime: Path
    data: Path
    cache: Path

    @property
    def connection_file(self) -> Path:
        return self.runtime / "connection.json"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def models(self) -> Path:
        return self.data / "models"


def user_paths(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Paths:
    """The folders for this user.

    UNDERPAINT_DATA moves data and runtime together (used by tests and farms), UNDERPAINT_CACHE
    moves the cache.
    """
    env = os.environ if environ is None else environ
    data_default, cache_default = _platform_roots(env, platform)
    # Absolute, since the daemon is started in another folder than its clients.
    data = Path(env.get("UNDERPAINT_DATA") or data_default).expanduser().absolute()
    cache = Path(env.get("UNDERPAINT_CACHE") or cache_default).expanduser().absolute()
    return Paths(runtime=data / "run", data=data, cache=cache)


def home_folder(env: Mapping[str, str]) -> Path:
    """This user's own folder. An empty HOME, as services and containers have it, is none: the
    account's counts then, and not the file system's root."""
    if given := env.get("HOME") or env.get("USERPROFILE"):
        return Path(given)
    if sys.platform == "win32":
        return Path.home()
    import pwd

    with suppress(KeyError):
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    return Path("/")  # an account that the system does not know


def private_folder(folder: Path) -> None:
    """Make a folder that only this user can enter. On Windows the profile's own rights hold."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if sys.platform != "win32":
        folder.chmod(0o700)


def _platform_roots(env: Mapping[str, str], platform: str) -> tuple[Path, Path]:
    home = home_folder(env)
    if platform == "win32":
        local = Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local")
        return local / "Underpaint", local / "Underpaint" / "Cache"
    if platform == "darwin":
        library = home / "Library"
        return library / "Application Support" / "Underpaint", library / "Caches" / "Underpaint"
    data = Path(env.get("XDG_DATA_HOME") or home / ".local" / "share")
    cache = Path(env.get("XDG_CACHE_HOME") or home / ".cache")
    return data / "underpaint", cache / "underpaint"
