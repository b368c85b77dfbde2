"""The worker process: takes jobs from stdin, tells of them on stdout, dies with its daemon.

Nothing heavy is imported before the first job: the runner's factory brings torch.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from underpaint.paths import Paths

from ..common.job_contract import Patient, Runner
from ..common.pipe import STARVED, Message, Writer, read_message
from ..common.staging import Staging
from ..importing import imported
from .host import run_job
from .reporting import WishBook, Wishes

BEAT_SECONDS = 1.0
NICENESS = 5
_OOM_SCORE = 500
_PR_SET_PDEATHSIG = 1


def main(argv: list[str] | None = None) -> int:
    """Serve jobs until stdin ends or `exit` comes."""
    options = _options(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    _be_modest(options.parent)
    _bound(options.memory)
    _end_when_starved()
    source, sink = _take_stdio()
    paths = Paths(runtime=options.runtime, data=options.data, cache=options.cache)
    writer, book = Writer(sink), WishBook()
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, inbox, book), daemon=True).start()
    threading.Thread(target=_beat, args=(writer,), daemon=True).start()
    writer.send({"t": "ready", "pid": os.getpid()})
    staging = Staging(options.data, options.fast)
    try:
        _serve(inbox, writer, book, paths, staging, options.runner)
    except MemoryError:
        os._exit(STARVED)  # an orderly end would need memory, too
    return 0


def load_factory(name: str) -> Callable[[Paths], Runner]:
    """The function that `module:function` names."""
    module, _, attribute = name.partition(":")
    factory: Callable[[Paths], Runner] = getattr(imported(module), attribute)
    return factory


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="underpaint-worker")
    parser.add_argument("--runner", required=True)
    parser.add_argument("--parent", type=int, required=True)
    for folder in ("data", "runtime", "cache"):
        parser.add_argument(f"--{folder}", type=Path, required=True)
    parser.add_argument("--fast", type=Path)
    parser.add_argument("--memory", type=int, default=0, help="bytes it may use; 0 = all")
    return parser.parse_args(argv)


def _serve(
    inbox: queue.SimpleQueue[Message],
    writer: Writer,
    book: WishBook,
    paths: Paths,
    staging: Staging,
    runner_name: str,
) -> None:
    runner = functools.cache(lambda: _brought(runner_name, paths, writer))
    hasher = _started_pool()
    while True:
        message = inbox.get()
        if message["t"] == "let_go":
            _leave_gpu(runner)
            continue
        job = str(message["job"])
        run_job(message, runner, staging, writer, book.of(job) or Wishes(), hasher)
        book.close(job)


def _brought(name: str, paths: Paths, writer: Writer) -> Runner:
    """The runner, which brings torch: a failure to load it fails that job, and no other. Told
    before, since importing may keep every other thread from speaking, and after."""
    told = "ready"
    writer.send({"t": "bringing"})
    try:
        runner = load_factory(name)(paths)
        told = "able"
        return runner
    finally:
        writer.send({"t": told})


def _leave_gpu(runner: functools._lru_cache_wrapper[Runner]) -> None:
    """Have the runner leave the GPU to others, where one was loaded that can."""
    held = runner() if runner.cache_info().currsize else None
    if isinstance(held, Patient):
        held.let_go()


def _started_pool() -> ThreadPoolExecutor:
    """One thread that runs already: one that finds no memory while it starts is waited for by
    Python without end."""
    pool = ThreadPoolExecutor(1)
    pool.submit(int).result()
    return pool


def _read(source: BinaryIO, inbox: queue.SimpleQueue[Message], book: WishBook) -> None:
    while (message := read_message(source)) is not None:
        kind = message["t"]
        if kind == "run":
            book.open(message["job"])
        if kind in ("run", "let_go"):
            inbox.put(message)
        elif (wishes := book.of(message["job"])) is not None:
            _wish(wishes, kind, message)
    # The daemon is gone. Nobody could take a result, so do not finish the step.
    os._exit(0)


def _wish(wishes: Wishes, kind: str, message: Message) -> None:
    if kind == "cancel":
        wishes.cancel()
    elif kind == "enough":
        wishes.enough()
    elif kind == "wait":
        wishes.wait(message["on"])
    elif kind == "credit":
        wishes.credit()


def _beat(writer: Writer) -> None:
    with contextlib.suppress(OSError):
        while True:
            writer.send({"t": "beat", **_memory()})
            time.sleep(BEAT_SECONDS)


def _memory() -> dict[str, Any]:
    facts: dict[str, Any] = {"rss": _resident_bytes(), "device": "cpu"}
    torch = sys.modules.get("torch")
    # Asking a device that nobody uses yet would create a context on it.
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and hasattr(cuda, "is_initialized") and cuda.is_initialized():
        free, total = cuda.mem_get_info()
        facts |= {"device": cuda.get_device_name(), "gpu_free": free, "gpu_total": total}
        facts["gpu_allocated"] = cuda.memory_allocated()
    return facts


def _resident_bytes() -> int:
    """Main memory in use now."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    import psutil

    return int(psutil.Process().memory_info().rss)


def _bound(nbytes: int) -> None:
    """Let the process use so much main memory, where the system can hold it to that: of what it
    allocates, not of its address space, which a GPU's driver reserves by the terabyte."""
    if nbytes and sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (nbytes, nbytes))


def _take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Keep the line to the daemon to ourselves: what libraries print goes to stderr."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as null:
        os.dup2(null.fileno(), 0)
    os.dup2(2, 1)
    return source, sink


def _be_modest(parent: int) -> None:
    """Step back behind the daemon and Blender, and die with the daemon (source: prctl(2))."""
    for name in ("SIGINT", "SIGHUP"):  # Ctrl-C, a closed terminal: for the daemon to handle
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _end_when_starved() -> None:
    """End the process when a thread finds no memory: deaf, it would be waited for without end."""

    def thread_failed(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is MemoryError:
            os._exit(STARVED)
        threading.__excepthook__(args)

    def nobody_caught(args: sys.UnraisableHookArgs) -> None:
        if args.exc_type is MemoryError:
            os._exit(STARVED)
        sys.__unraisablehook__(args)

    threading.excepthook, sys.unraisablehook = thread_failed, nobody_caught


if __name__ == "__main__":
    sys.exit(main())
