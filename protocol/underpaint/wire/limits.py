"""Every limit of the wire, in one place. A message beyond one of them is refused undecoded.

libzmq's own MAXMSGSIZE bounds single frames only, so count and sums are checked by `envelope`.
"""

from __future__ import annotations

import re
from typing import Final

MAGIC: Final = b"UPT1"
"""Frame 0: the protocol's name and its major version."""
MAJOR: Final = 1
MINOR: Final = 2

KIB: Final = 1024
MIB: Final = 1024 * KIB

MAX_HEADER: Final = 64 * KIB
MAX_BUFFERS: Final = 16
MAX_FRAMES: Final = 2 + MAX_BUFFERS
MAX_CONTROL_FRAME: Final = MIB
MAX_DATA_FRAME: Final = 256 * MIB
"""Room for 67 million float32: depth at 8192², positions at 4096²."""
MAX_MESSAGE: Final = 512 * MIB
MAX_PART: Final = 128 * MIB
"""What one `result.part` carries at most."""

MAX_DEPTH: Final = 12
MAX_ARRAY: Final = 4096
MAX_MAP: Final = 256
MAX_STRING: Final = 32 * KIB
MAX_DIMENSIONS: Final = 4
MAX_JOBS_LISTED: Final = 50
MAX_LOG_LINES: Final = 200

HWM_CONTROL: Final = 64
HWM_DATA: Final = 8
HEARTBEAT_MS: Final = 1000
HEARTBEAT_TIMEOUT_MS: Final = 3000
HANDSHAKE_MS: Final = 5000
PREVIEW_SIDE: Final = 512
"""Previews are at most so many pixels a side."""
THUMBNAIL_SIDE: Final = 128
"""Thumbnails are at most so many pixels a side."""
MAX_LEASE_S: Final = 120
"""The GPU is left to somebody for so long at most, unless it is asked for again."""
PROGRESS_HZ: Final = 10.0

ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""Message, session, job and result names. Never a path: no separators, no leading dot."""
SHA256: Final = re.compile(r"[0-9a-f]{64}")
