"""A small model hub on loopback that can misbehave, file by file and request by request."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import defaultdict
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

COMMIT = "5d" * 20


class Fault(StrEnum):
    """What one answer to one request may do wrong."""

    DROP = "drop"
    TRUNCATE = "truncate"
    CORRUPT = "corrupt"
    ERROR = "error"


class Hub:
    """`files`: content by repository and path. `faults`: of the next downloads of a path, in
    order. `redirect`: serve contents from elsewhere, as the real hub does. `gated`: without this
    token, nothing. `sent`: bytes sent of each path."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.sent: dict[str, int] = defaultdict(int)
        self.asked: list[str] = []
        self.redirect = False
        self.gated: str | None = None
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = urlsplit(self.path).path
        self.hub.asked.append(f"{self.command} {path}")
        if self.hub.gated and self.headers.get("Authorization") != f"Bearer {self.hub.gated}":
            return self._plain(401, b"{}", {"X-Error-Code": "GatedRepo"})
        if found := re.fullmatch(r"/api/models/(.+)/revision/[^/]+", path):
            return self._info(found[1])
        if found := re.fullmatch(r"/(cdn/)?(.+)/resolve/[^/]+/(.+)", path):
            return self._file(found[2], found[3], body=body, elsewhere=bool(found[1]))
        return self._plain(404, b"{}", {})

    def _info(self, repository: str) -> None:
        files = self.hub.files.get(repository)
        if files is None:
            return self._plain(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        rows = []
        for name, data in files.items():
            row = {"rfilename": name, "size": len(data), "blobId": "0" * 40}
            if name.endswith((".safetensors", ".bin")):
                digest = hashlib.sha256(data).hexdigest()
                row["lfs"] = {"size": len(data), "sha256": digest, "pointerSize": 134}
            rows.append(row)
        told = {"id": repository, "sha": COMMIT, "siblings": rows}
        return self._plain(200, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def _file(self, repository: str, name: str, *, body: bool, elsewhere: bool) -> None:
        data = self.hub.files.get(repository, {}).get(name)
        if data is None:
            return self._plain(404, b"", {"X-Error-Code": "EntryNotFound"})
        digest = hashlib.sha256(data).hexdigest()
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"', "Accept-Ranges": "bytes"}
        if self.hub.redirect and not elsewhere:
            headers |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data))}
            headers["Location"] = f"{self.hub.url}/cdn{self.path}"
            return self._plain(302, b"", headers)
        if not body:
            self.send_response(200)
            return self._headers({**headers, "Content-Length": str(len(data))})
        return self._send(name, data, headers)

    def _send(self, name: str, data: bytes, headers: dict[str, str]) -> None:
        faults = self.hub.faults[name]
        fault = faults.pop(0) if faults else None
        if fault is Fault.ERROR:
            return self._plain(503, b"", {})
        if fault is Fault.CORRUPT:
            data = bytes(255 - byte for byte in data)
        start = 0
        if ranged := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(ranged[1])
        rest = data[start:]
        if fault is Fault.TRUNCATE:
            rest = rest[: len(rest) // 2]
        self.send_response(206 if start else 200)
        if start:
            headers = {**headers, "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        self._headers({**headers, "Content-Length": str(len(rest))})
        if fault is Fault.DROP:
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)
        self.hub.sent[name] += len(rest)
        if fault is Fault.DROP:
            self.wfile.flush()
            self.close_connection = True

    def _plain(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self._headers({**headers, "Content-Length": str(len(data))})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _headers(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
