"""A small daemon on real sockets: speaks the whole protocol, and paints by inverting the view.

The real daemon is tested in tests/daemon. This one can be told to be slow, deaf or gone, so that
the client's side of every trouble is tested where it happens.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import zmq

from underpaint.errors import ErrorCode, ProtocolError, RequestError, UnderpaintError
from underpaint.paths import Paths
from underpaint.tree import buffer_refs, from_plain
from underpaint.wire import message_types
from underpaint.wire import messages as m
from underpaint.wire.connection import Connection, write_connection
from underpaint.wire.envelope import Buffer, BufferInfo, decode, file_buffer, new_id
from underpaint.wire.message_types import Channel
from underpaint.wire.messages import JobInfo, JobState
from underpaint.wire.security import Authenticator, new_keys, receive_frames, send, server_socket

STEPS = 4


class SmallDaemon:
    """One thread, two ROUTERs, jobs that take `STEPS` ticks of `step_s` each."""

    def __init__(self, paths: Paths, step_s: float = 0.0) -> None:
        self.step_s = step_s
        self.only_watched = False  # jobs wait until somebody looks
        self.deaf = threading.Event()
        self.odd: dict[type, Callable[[Channel, bytes], m.Body]] = {}  # what it says instead
        self.waiting: list[tuple[Channel, list[memoryview]]] = []  # came while it was deaf
        self.heard: list[m.Body] = []
        self.asked: list[str] = []  # by these ids
        self.bytes_received = 0
        self.blobs: dict[str, Buffer] = {}
        self.jobs: dict[str, JobInfo] = {}
        self.requests: dict[str, dict] = {}
        self.results: dict[str, dict[str, bytes]] = {}
        self._paths = paths
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self.waiting.clear()
        self._watchers: dict[str, set[bytes]] = {}
        self._peers: dict[tuple[Channel, str], bytes] = {}
        self._session_of: dict[bytes, str] = {}
        self._credit: dict[str, set[str]] = {}
        self.epoch = new_id()
        server, client = new_keys(), new_keys()
        self._context = zmq.Context()
        self._zap = Authenticator(self._context, [client.public])
        self._sockets = {c: server_socket(self._context, c, server) for c in Channel}
        ports = {c: s.bind_to_random_port("tcp://127.0.0.1") for c, s in self._sockets.items()}
        self.connection = Connection(
            control=f"tcp://127.0.0.1:{ports[Channel.CONTROL]}",
            data=f"tcp://127.0.0.1:{ports[Channel.DATA]}",
            server_key=server.public,
            client_key=client.public,
            client_secret=client.secret,
            pid=os.getpid(),
            epoch=self.epoch,
        )
        write_connection(self._paths.connection_file, self.connection)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def left_waiting(self, kind: type[m.Body]) -> bool:
        """Whether a message of a kind came while it was deaf."""
        came = [decode(frames[1:]) for _, frames in list(self.waiting)]
        return any(isinstance(message_types.parse(envelope), kind) for envelope in came)

    def crash(self) -> None:
        """Go without a word, as kill -9 does: only the file is left, its process dead."""
        self._end()
        write_connection(self._paths.connection_file, replace(self.connection, pid=2**22 + 1))

    def stop(self) -> None:
        self._end()
        self._paths.connection_file.unlink(missing_ok=True)

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._zap.close()
            self._context.destroy(linger=0)

    def _run(self) -> None:
        poller = zmq.Poller()
        for socket in self._sockets.values():
            poller.register(socket, zmq.POLLIN)
        next_step = time.monotonic()
        while not self._stop.is_set():
            ready = dict(poller.poll(5))
            for channel, socket in self._sockets.items():
                if socket in ready:
                    self.waiting.append((channel, receive_frames(socket)))
            if self.deaf.is_set():
                continue
            while self.waiting:
                self._hear(*self.waiting.pop(0))
            if time.monotonic() >= next_step:
                next_step = time.monotonic() + self.step_s
                self._step_jobs()

    def _hear(self, channel: Channel, message: list[memoryview]) -> None:
        identity, *frames = message
        peer = bytes(identity)
        try:
            envelope = decode(frames)
        except ProtocolError as error:
            self.send(channel, message_types.error_message(error), peer)
            return
        self.bytes_received += sum(b.info.nbytes for b in envelope.buffers)
        try:
            self.asked.append(envelope.id)
            body = message_types.parse(envelope)
            self.heard.append(body)
            answer, buffers = self._answer(channel, peer, body, envelope.buffers)
        except UnderpaintError as error:
            self.send(channel, message_types.error_message(error, envelope.id), peer)
            return
        if answer is not None:
            self.send(channel, message_types.message(answer, re=envelope.id, buffers=buffers), peer)

    def _answer(self, channel, peer, body, buffers) -> tuple[m.Body | None, tuple[Buffer, ...]]:
        if (instead := self.odd.get(type(body))) is not None:
            return instead(channel, peer), ()
        if isinstance(body, m.Hello):
            self._peers[channel, body.session] = peer
            self._session_of[peer] = body.session
            return m.HelloOk(self.epoch, os.getpid(), "test"), ()
        if peer not in self._session_of:
            raise ProtocolError("hello first", code=ErrorCode.HELLO_REQUIRED)
        if type(body) not in message_types.REQUESTS[channel]:
            raise ProtocolError("not on this socket", code=ErrorCode.UNSUPPORTED)
        for buffer in buffers:
            assert hashlib.sha256(buffer.data).hexdigest() == buffer.info.sha256
            self.blobs[buffer.info.sha256] = buffer
        return self._carry_out(peer, body, buffers)

    def _carry_out(self, peer, body, buffers) -> tuple[m.Body | None, tuple[Buffer, ...]]:
        if isinstance(body, m.ResultFetch):
            return self._part(body)
        if isinstance(body, m.PreviewCredit):
            self._credit.setdefault(body.job, set()).add(self._session_of[peer])
            return None, ()
        return self._on_job(peer, body) or self._on_bulk(body, buffers) or self._on_self(body), ()

    def _on_job(self, peer, body) -> m.Body | None:
        match body:
            case m.Submit():
                return self._accept(body)
            case m.Watch():
                self._watchers.setdefault(body.job, set()).add(peer)
                return m.Snapshot(self._job(body.job))
            case m.Cancel():
                state = self._job(body.job).state
                if not state.terminal:
                    self._change(body.job, state=JobState.CANCELLED)
                return m.CancelOk(body.job, state)
            case m.JobsList():
                jobs = sorted(self.jobs.values(), key=lambda j: -j.created)
                jobs = [j for j in jobs if body.before is None or j.created < body.before]
                return m.Jobs(tuple(jobs[: body.limit]))
            case m.JobGet():
                return m.JobOk(self._job(body.job), self.requests[body.job])
        return None

    def _on_bulk(self, body, buffers) -> m.Body | None:
        match body:
            case m.BlobHave():
                return m.Missing(tuple(s for s in body.sha256s if s not in self.blobs))
            case m.BlobPut():
                return m.BlobOk(tuple(b.info.sha256 for b in buffers))
            case m.ResultManifest():
                return m.Results(body.job, self._files(body.job))
            case m.ResultAck():
                return m.AckOk(body.job)
        return None

    def _on_self(self, body) -> m.Body:
        match body:
            case m.Ping():
                return m.Pong(queued=len(self.jobs))
            case m.ModelsList():
                return m.Models((m.ModelInfo("starter", "sd", controls=("depth",)),))
            case m.Status():
                return m.StatusOk(self.epoch, os.getpid(), "test", 1.5, len(self.jobs))
            case m.LogTail():
                return m.Log(("all is well",))
        self._stop.set()
        return m.Bye()

    def _job(self, job: str) -> JobInfo:
        if job not in self.jobs:
            raise RequestError(ErrorCode.JOB_UNKNOWN, f"no job {job}")
        return self.jobs[job]

    def _accept(self, body: m.Submit) -> m.Accepted:
        if body.job in self.jobs:
            if self.requests[body.job] != body.request:
                raise RequestError(ErrorCode.JOB_ID_REUSED, f"{body.job} is another request")
            return m.Accepted(self.jobs[body.job], duplicate=True)
        refs = buffer_refs(from_plain(body.request))
        if missing := [r.sha256 for r in refs if r.sha256 not in self.blobs]:
            details = {"missing": missing}
            raise RequestError(ErrorCode.MISSING_BLOBS, "buffers are missing", details=details)
        now = time.time()
        self.requests[body.job] = body.request
        self.jobs[body.job] = JobInfo(body.job, "image", JobState.QUEUED, 0, now, now)
        return m.Accepted(self.jobs[body.job])

    def _step_jobs(self) -> None:
        for info in [i for i in self.jobs.values() if not i.state.terminal]:
            if self.only_watched and info.job not in self._watchers:
                continue
            done = info.progress.step if info.progress else 0
            if info.state is not JobState.RUNNING:
                self._change(info.job, state=JobState.RUNNING)
            elif "fail" in self.requests[info.job]["prompt"].get("text", ""):
                error = RequestError(ErrorCode.MODEL_MISSING, "there is no such model")
                self._change(info.job, state=JobState.FAILED, error=error.to_dict())
            elif done < STEPS:
                self._change(info.job, progress=m.ProgressInfo("denoising", done + 1, STEPS))
                self._preview(info.job, done + 1)
            else:
                self._finish(info.job)

    def _finish(self, job: str) -> None:
        refs = buffer_refs(from_plain(self.requests[job]))
        data = b"".join(bytes(self.blobs[r.sha256].data) for r in refs[-1:])
        painted = (255 - np.frombuffer(data, np.uint8)).tobytes()
        self.results[job] = {"image-0.raw": painted, "empty.txt": b""}
        self._change(job, warning="painted by a test")
        self._change(job, state=JobState.DONE)

    def _change(self, job: str, **what) -> None:
        old = self.jobs[job]
        warning = what.pop("warning", None)
        warnings = old.warnings + ((warning,) if warning else ())
        self.jobs[job] = replace(old, seq=old.seq + 1, warnings=warnings, **what)
        event = m.Event(job, old.seq + 1, warning=warning, **what)
        for peer in self._watchers.get(job, ()):
            self.send(Channel.CONTROL, message_types.message(event), peer)

    def _preview(self, job: str, step: int) -> None:
        for session in self._credit.pop(job, ()):
            image = np.full((16, 24, 3), step, np.uint8)
            buffer = Buffer(BufferInfo("color", "uint8", image.shape), image.reshape(-1).data)
            preview = message_types.message(m.Preview(job, step, STEPS), buffers=(buffer,))
            self.send(Channel.DATA, preview, self._peers[Channel.DATA, session])

    def send_frames(self, channel: Channel, frames: list[bytes]) -> None:
        self._sockets[channel].send_multipart(frames)

    def send(self, channel: Channel, envelope, peer: bytes) -> None:
        """Send to a peer that may have left."""
        try:
            send(self._sockets[channel], envelope, peer)
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise

    def _files(self, job: str) -> tuple[m.FileInfo, ...]:
        return tuple(
            m.FileInfo(n, "image/raw", len(d), hashlib.sha256(d).hexdigest(), {"seed": 7})
            for n, d in self.results[job].items()
        )

    def _part(self, body: m.ResultFetch) -> tuple[m.Body, tuple[Buffer, ...]]:
        data = self.results[body.job][body.name]
        # Small parts, so that the client has to ask for the rest.
        piece = data[body.offset : body.offset + 100_000]
        part = m.ResultPart(body.job, body.name, body.offset, len(data))
        return part, (file_buffer(piece),)
