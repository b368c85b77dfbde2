"""Fetch a set: file by file, resumed where it stopped, each held against the hub's own sha256.

Everything arrives in `models/.pull/NAME` and is moved into place when it is whole, so that half a
model is never seen. Weights are `.safetensors` only, whatever a repository holds beside them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NoReturn

import httpx2
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.common import disk

from .catalogue import ModelSet, Part

RECORD = "pulled.json"
_WANTED = (".safetensors", ".json", ".txt", ".model", ".jinja", ".md")
_TRIES = 5
_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Source:
    """Where from: a hub or a mirror of it, and the token for gated models. `pause_s`: before a
    second try; doubled each time."""

    endpoint: str | None = None
    token: str | None = None
    pause_s: float = _PAUSE_S


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """`sha256` is None of small files that the hub keeps no hash of."""

    repository: str
    revision: str
    path: str
    into: str
    size: int
    sha256: str | None


Told = Callable[[str], None]


def pull(paths: Paths, chosen: ModelSet, source: Source, tell: Told) -> Path:
    """The folder of the set, whole. Raises RequestError: FILE, DISK_FULL, ACCESS_DENIED,
    MODEL_MISSING, CONNECTION errors as FILE with what to do."""
    target = paths.models / chosen.name
    if target.exists():
        raise RequestError(
            ErrorCode.FILE,
            f"There is a model {chosen.name!r} already, in {target}",
            hint=f"Run `underpaint models verify {chosen.name}`, or remove it first.",
        )
    files = [file for part in chosen.parts for file in remote_files(part, source)]
    part = paths.models / ".pull" / chosen.name
    _need_room(part, files)
    for i, file in enumerate(files, 1):
        tell(f"[{i}/{len(files)}] {file.repository}/{file.path} ({file.size / 1e6:.1f} MB)")
        _fetch(file, part, source, tell)
    _write_record(part, chosen, files)
    for leftover in list(part.rglob(".cache")):
        shutil.rmtree(leftover, ignore_errors=True)
    part.rename(target)
    return target


def remote_files(part: Part, source: Source) -> list[RemoteFile]:
    """The files of a part that are wanted. Raises RequestError(MODEL_MISSING, ACCESS_DENIED)."""
    api = HfApi(endpoint=source.endpoint, token=source.token or False)
    info = _tried(
        lambda: api.model_info(part.repository, revision=part.revision, files_metadata=True),
        part.repository,
        source,
    )
    found = [
        _remote(part, info.sha, row)
        for row in info.siblings or []
        if row.rfilename.endswith(_WANTED)
        and any(fnmatch(row.rfilename, pattern) for pattern in part.patterns)
    ]
    if not any(file.path.endswith(".safetensors") for file in found):
        raise RequestError(
            ErrorCode.MODEL_BROKEN, f"{part.repository} has no safetensors weights of what we need"
        )
    return found


def _remote(part: Part, revision: str | None, row: Any) -> RemoteFile:
    return RemoteFile(
        part.repository,
        revision or part.revision,
        row.rfilename,
        part.into,
        int(row.size or 0),
        row.lfs.sha256 if row.lfs else None,
    )


def _need_room(part: Path, files: list[RemoteFile]) -> None:
    part.mkdir(parents=True, exist_ok=True)
    here = sum(f.stat().st_size for f in part.rglob("*") if f.is_file())
    needed = sum(file.size for file in files) - here
    free = shutil.disk_usage(part).free
    if needed > free:
        raise RequestError(
            ErrorCode.DISK_FULL,
            f"{needed / 1e9:.1f} GB are to be fetched, and {free / 1e9:.1f} GB are free",
        )


def _fetch(file: RemoteFile, folder: Path, source: Source, tell: Told) -> None:
    """One file, held against its hash; what is wrong is thrown away and fetched once more."""
    place = folder / file.into
    target = place / file.path
    if target.is_file() and matches(target, file.size, file.sha256):
        return
    for again in (True, False):
        _tried(lambda: _download(file, place, source), file.path, source)
        if matches(target, file.size, file.sha256):
            return
        target.unlink()
        if again:
            tell(f"  {file.path} arrived damaged; once more")
    raise RequestError(
        ErrorCode.FILE,
        f"{file.repository}/{file.path} arrived damaged twice: its sha256 is not the hub's",
        hint="Try again later, or another mirror with --mirror.",
    )


def _download(file: RemoteFile, place: Path, source: Source) -> None:
    hf_hub_download(
        file.repository,
        file.path,
        revision=file.revision,
        local_dir=place,
        endpoint=source.endpoint,
        token=source.token or False,
    )


def matches(path: Path, size: int, sha256: str | None) -> bool:
    """Whether a file has the size and the hash (None = not known) that it should have."""
    if size and path.stat().st_size != size:
        return False
    return sha256 is None or sha256_of(path) == sha256


def sha256_of(path: Path) -> str:
    """sha256 (hex) of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _tried(attempt: Callable[[], Any], what: str, source: Source) -> Any:
    """The attempt's result; lines that drop are taken up again, a few times."""
    pause = source.pause_s
    for left in reversed(range(_TRIES)):
        try:
            return attempt()
        except GatedRepoError as error:
            _refuse_gated(what, error)
        except (RepositoryNotFoundError, EntryNotFoundError) as error:
            raise RequestError(
                ErrorCode.MODEL_MISSING,
                f"The hub has no {what}: {first_line(error)}",
                hint="It may want a token (underpaint models token store), or another mirror.",
            ) from error
        except OfflineModeIsEnabled as error:
            raise RequestError(
                ErrorCode.FILE,
                f"{what} cannot be fetched: the environment says to stay offline",
                hint="Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE, then try again.",
            ) from error
        except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
            if isinstance(error, OSError) and disk.is_full(error):
                raise disk.as_error(error, f"{what} cannot be saved") from error
            if not left:
                raise RequestError(
                    ErrorCode.FILE,
                    f"{what} cannot be fetched: {first_line(error)}",
                    hint="Run the same command again; it goes on where it stopped.",
                ) from error
            time.sleep(pause)
            pause *= 2
    raise AssertionError("unreachable")


def _refuse_gated(what: str, error: Exception) -> NoReturn:
    raise RequestError(
        ErrorCode.ACCESS_DENIED,
        f"{what} is gated: {first_line(error)}",
        hint="Accept its terms on its page, then give your token: underpaint models token store",
    ) from error


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _write_record(folder: Path, chosen: ModelSet, files: list[RemoteFile]) -> None:
    rows = {
        (Path(file.into) / file.path).as_posix(): {
            "repository": file.repository,
            "revision": file.revision,
            "sha256": file.sha256 or sha256_of(folder / file.into / file.path),
        }
        for file in files
    }
    record = {"set": chosen.name, "licence": chosen.licence, "files": rows}
    (folder / RECORD).write_text(json.dumps(record, indent=1), "utf-8")


def damaged(folder: Path) -> Iterator[str]:
    """What of a pulled set is missing or changed. Raises RequestError(FILE) without a record."""
    file = folder / RECORD
    if not file.is_file():
        raise RequestError(ErrorCode.FILE, f"{folder} was not pulled: it has no {RECORD}")
    for name, row in json.loads(file.read_text("utf-8"))["files"].items():
        if not (folder / name).is_file():
            yield f"{name} is missing"
        elif sha256_of(folder / name) != row["sha256"]:
            yield f"{name} has changed"
