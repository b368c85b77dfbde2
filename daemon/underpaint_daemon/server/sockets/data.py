"""The data thread: the `data` socket, blobs, results, and every check that reads many bytes."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import zmq

from underpaint.buffers import BufferRef
from underpaint.errors import ErrorCode, ProtocolError, UnderpaintError
from underpaint.requests import Request
from underpaint.tree import from_plain
from underpaint.wire import limits
from underpaint.wire.envelope import Envelope, decode, file_buffer, id_of
from underpaint.wire.gallery import MAX_ORIGIN
from underpaint.wire.message_types import REQUESTS, Channel, error_message, message, parse
from underpaint.wire.messages import (
    BlobHave,
    BlobOk,
    BlobPut,
    Body,
    Hello,
    Log,
    LogTail,
    Missing,
    ModelsList,
    ResultAck,
    ResultFetch,
    ResultManifest,
    ResultPart,
    Submit,
    ThumbnailGet,
)
from underpaint.wire.security import receive_frames
from underpaint_daemon.common.blobs import Blobs
from underpaint_daemon.common.caches import sweep_caches
from underpaint_daemon.common.checks.files import check_files
from underpaint_daemon.common.checks.validation import validate
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.staging import Staging

from .. import logs
from ..boundary import guarded, unforeseen
from ..config import Config
from ..jobs.results import Folders
from ..lifecycle import Identity
from ..model_lister import ModelLister
from ..thread_messages import (
    Asked,
    Checked,
    Ended,
    Greeted,
    Pin,
    Route,
    Send,
    Stop,
    Sweep,
    ToControl,
    ToData,
    Verified,
)
from ..thumbnails import Thumbnailer
from .mailbox import Mailbox
from .outbox import Outbox
from .sessions import MAX_SESSIONS
from .versions import told_to

log = logging.getLogger("data")
_NAME = "data"
_RETRY_MS = 10


class DataThread:
    """Runs until it is told to stop. Speaks to the control thread by mailboxes only."""

    def __init__(
        self,
        config: Config,
        socket: zmq.Socket[bytes],
        staging: Staging,
        identity: Identity,
        inbox: Mailbox[ToData],
        control: Mailbox[ToControl],
    ) -> None:
        self._config = config
        self._socket = socket
        self._outbox = Outbox(socket)
        self._folders = Folders(staging)
        self._identity = identity
        self._inbox = inbox
        self._control = control
        self._blobs = Blobs(staging)
        self._lister = ModelLister(config.paths, self._post_reply)
        self._thumbnailer = Thumbnailer(self._folders, self._post_reply)
        self._peers: OrderedDict[bytes, Hello] = OrderedDict()
        self._running = True
        self.heard_at = time.monotonic()

    def run(self) -> None:
        """The loop; what a handler raises unforeseen ends that step only (see `boundary`)."""
        self._lister.start()
        self._thumbnailer.start()
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._inbox.wake, zmq.POLLIN)
        while self._running:
            poller.poll(_RETRY_MS if self._outbox.waiting else None)
            self._outbox.retry()
            for item in self._inbox.drain():
                if not guarded(_NAME, partial(self._take, item)):
                    self._told_unforeseen(item)
            guarded(_NAME, self._receive)

    def _receive(self) -> None:
        with contextlib.suppress(zmq.Again):
            identity, *frames = receive_frames(self._socket)
            self.heard_at = time.monotonic()
            if not guarded(_NAME, partial(self._answer, bytes(identity), frames)):
                self._outbox.send(bytes(identity), error_message(unforeseen(), id_of(frames)))

    def _answer(self, identity: bytes, frames: list[memoryview]) -> None:
        route = Route(Channel.DATA, identity)
        try:
            envelope = decode(frames)
            hello = self._peers.get(identity)
            minor = limits.MINOR if hello is None else hello.minor
            route = Route(Channel.DATA, identity, envelope.id, minor)
            self._handle(route, envelope, parse(envelope))
        except UnderpaintError as error:
            self._outbox.send(
                identity, error_message(told_to(route.minor, error), route.re or id_of(frames))
            )

    def _handle(self, route: Route, envelope: Envelope, body: Body) -> None:
        if isinstance(body, Hello):
            self._greet(route, body)
            return
        if type(body) not in REQUESTS[Channel.DATA]:
            raise ProtocolError(
                f"{envelope.type} is not for the data socket", code=ErrorCode.UNSUPPORTED
            )
        if route.identity not in self._peers:
            raise ProtocolError("say hello first", code=ErrorCode.HELLO_REQUIRED)
        self._peers.move_to_end(route.identity)
        if isinstance(body, (ResultManifest, ResultAck)):
            self._control.put(Asked(route, envelope, body))
        else:
            _HANDLERS[type(body)](self, route, envelope, body)

    def _greet(self, route: Route, hello: Hello) -> None:
        self._peers[route.identity] = hello
        while len(self._peers) > MAX_SESSIONS:
            self._peers.popitem(last=False)
        self._control.put(Greeted(hello.session, route.identity))
        self._reply(route, self._identity.hello_ok())

    def _reply(self, route: Route, body: Body, *buffers: Any) -> None:
        envelope = message(body, re=route.re, buffers=buffers)
        if route.channel is Channel.DATA:
            self._outbox.send(route.identity, envelope)
        else:
            self._control.put(Send(route.identity, envelope))

    def _post_reply(self, route: Route, body: Body, *buffers: Any) -> None:
        """The same from any other thread."""
        answer = Send(route.identity, message(body, re=route.re, buffers=buffers))
        if route.channel is Channel.DATA:
            self._inbox.put(answer)
        else:
            self._control.put(answer)

    # ---- from the control thread ------------------------------------------------------------

    def _take(self, item: ToData) -> None:
        match item:
            case Send(identity, envelope):
                self._outbox.send(identity, envelope, droppable=envelope.type == "preview")
            case Asked(route, envelope, body):
                self._take_asked(route, envelope, body)
            case Pin(job, request):
                self._pin_again(job, request)
            case Ended(job):
                self._blobs.unpin(job)
            case Sweep(jobs):
                self._sweep(jobs)
            case Stop():
                self._running = False

    def _told_unforeseen(self, item: ToData) -> None:
        if isinstance(item, Asked):
            said = error_message(unforeseen(), item.route.re)
            self._control.put(Send(item.route.identity, said))

    def _take_asked(self, route: Route, envelope: Envelope, body: Body) -> None:
        try:
            _HANDLERS[type(body)](self, route, envelope, body)
        except UnderpaintError as error:
            said = error_message(told_to(route.minor, error), route.re)
            self._control.put(Send(route.identity, said))

    def _sweep(self, jobs: tuple[str, ...]) -> None:
        for job in jobs:
            self._folders.remove(job)
        gone = self._blobs.sweep(self._config.blob_bytes)
        made = sweep_caches(self._config.paths.cache, self._config.cache_bytes)
        if jobs or gone or made:
            log.info(
                "removed the results of %d jobs, %d buffers, %d cached files", len(jobs), gone, made
            )

    # ---- handlers ---------------------------------------------------------------------------

    def _have(self, route: Route, _envelope: Envelope, body: BlobHave) -> None:
        self._reply(route, Missing(self._blobs.missing(body.sha256s)))

    def _put(self, route: Route, envelope: Envelope, _body: BlobPut) -> None:
        self._reply(route, BlobOk(tuple(self._blobs.put(b) for b in envelope.buffers)))

    def _submit(self, route: Route, envelope: Envelope, body: Submit) -> None:
        request = from_plain(body.request)
        problem: UnderpaintError | None = None
        settled, unverified = request, list[BufferRef]()
        try:
            settled, unverified = self._check(body.job, request, envelope)
        except UnderpaintError as error:
            # A repetition of a job that is long done needs no buffers: the control thread knows.
            problem = error
        origin = (body.origin or "")[:MAX_ORIGIN]
        checked = Checked(route, body.job, request, settled, problem, not unverified, origin)
        self._control.put(checked)
        # The worker wakes up meanwhile. No result leaves before the hashes are known to be right.
        self._verify(body.job, unverified)

    def _check(
        self, job: str, request: Request, envelope: Envelope
    ) -> tuple[Request, list[BufferRef]]:
        """The request as it will be carried out, and its buffers that are not hashed yet."""
        validate(request)
        if self._config.checks_models:
            request = settle(request, self._config.paths)
            validate(request)
            check_files(request, self._config.paths)
        for buffer in envelope.buffers:
            self._blobs.put(buffer)
        unverified = self._blobs.require(request)
        self._blobs.pin(job, request)
        return request, unverified

    def _verify(self, job: str, refs: list[BufferRef]) -> None:
        if not refs:
            return
        problem: UnderpaintError | None = unforeseen()
        try:
            self._blobs.verify(refs)
            problem = None
        except UnderpaintError as error:
            problem = error
        finally:  # a job of which nothing was said would hold the queue for good
            self._control.put(Verified(job, problem))

    def _pin_again(self, job: str, request: Request) -> None:
        """After a restart: what a power cut damaged must not be painted with."""
        try:
            self._blobs.pin(job, request)
            self._verify(job, self._blobs.require(request))
        except UnderpaintError as error:
            self._control.put(Verified(job, error))

    def _fetch(self, route: Route, _envelope: Envelope, body: ResultFetch) -> None:
        data, total = self._folders.read(body.job, body.name, body.offset, body.length)
        part = ResultPart(body.job, body.name, body.offset, total)
        self._reply(route, part, file_buffer(data))

    def _models(self, route: Route, _envelope: Envelope, _body: ModelsList) -> None:
        self._lister.ask(route)

    def _thumbnail(self, route: Route, _envelope: Envelope, body: ThumbnailGet) -> None:
        self._thumbnailer.ask(route, body)

    def _log(self, route: Route, _envelope: Envelope, body: LogTail) -> None:
        self._reply(route, Log(logs.tail(self._config.paths.logs, body.lines)))


_HANDLERS: Mapping[type[Body], Callable[[DataThread, Route, Envelope, Any], None]] = {
    BlobHave: DataThread._have,
    BlobPut: DataThread._put,
    Submit: DataThread._submit,
    ResultFetch: DataThread._fetch,
    ModelsList: DataThread._models,
    LogTail: DataThread._log,
    ThumbnailGet: DataThread._thumbnail,
}
