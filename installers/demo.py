"""The demo: a scene in real Blender becomes a painting. Started by `bootstrap.py demo`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from contact_sheet import Panel, contact_sheet
from PIL import Image

import underpaint
from underpaint import Buffers, ImageRequest, Prompt, Sampling, View
from underpaint.blenders import require_blenders
from underpaint.cli.guard import guarded
from underpaint.cli.run import told
from underpaint.cli.terminal.parser import Parser
from underpaint.files.inputs import save_inputs
from underpaint.files.viewfile import load_view
from underpaint.tree import request_digest

ROOT = Path(__file__).resolve().parent.parent
CAPTURE = ROOT / "blender_addon" / "scripts" / "capture_cli.py"
PROMPT = "a red brick head"
_CAPTURE_TIMEOUT_S = 300
_EXAMPLES = """\
examples:
  python3 installers/bootstrap.py demo
  python3 installers/bootstrap.py demo --prompt "mossy stone" --seed 3"""


def say(text: str) -> None:
    print(f"demo: {text}", flush=True)


def clear(out: Path) -> None:
    """Take away what the last demo left there and this one may not write again."""
    for old in (*out.glob("*.png"), *out.glob("inputs-*.npz")):
        old.unlink()


def capture(out: Path, size: int) -> Path:
    """Build the demo scene in Blender and capture it; the view file."""
    path = out / "view.npz"
    blender = require_blenders()[0]
    words = ["--demo", "--size", f"{size}x{size}", "--out", str(path)]
    command = blender.command(CAPTURE, words)
    with told() as line:
        line.doing("Blender", logged=False)
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_CAPTURE_TIMEOUT_S, check=False
        )
    if done.returncode != 0 or not path.exists():
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise SystemExit(f"demo: Blender could not capture the scene:\n{tail}")
    return path


def save_capture(view: View, buffers: Buffers, out: Path) -> list[Panel]:
    """Write the captured buffers as pictures."""
    panels = []
    for name, picture in pictures(view, buffers).items():
        Image.fromarray(picture).save(out / f"capture_{name}.png")
        panels.append(Panel(f"captured {name}", picture))
    return panels


def pictures(view: View, buffers: Buffers) -> dict[str, np.ndarray]:
    """The view's buffers as (h, w, 3) uint8; depth as near = white."""
    if view.color is None or view.depth is None or view.normal is None:
        raise SystemExit("demo: the view lacks colour, depth or normals")
    depth = buffers[view.depth.sha256]
    finite = np.isfinite(depth)
    near, far = depth[finite].min(), depth[finite].max()
    shade = np.where(finite, 255 - 215 * (depth - near) / max(far - near, 1e-6), 0)
    return {
        "colour": buffers[view.color.sha256][..., :3],
        "depth": np.repeat(shade[..., None], 3, axis=2).astype(np.uint8),
        "normal": buffers[view.normal.sha256],
    }


def paint(request: ImageRequest, buffers: Buffers, out: Path) -> list[Panel]:
    """Generate with previews; writes previews, image, recipe and what it was made from. The panels
    of both."""
    panels = []
    with told() as line, underpaint.connect() as up:
        job = up.submit(request, buffers, previews=True)
        for event in job:
            line.event(event)
            if isinstance(event, underpaint.Preview):
                Image.fromarray(event.image).save(out / f"preview_{event.step:02}.png")
                panels.append(Panel(f"step {event.step}", event.image))
        for result in job.result():
            (out / result.name).write_bytes(result.data)
    save_inputs(out, request_digest(request), buffers)
    panels.append(Panel(f"“{request.prompt.text}”", np.asarray(Image.open(out / "image_0.png"))))
    return panels


def main() -> int:
    parser = Parser(prog="bootstrap.py demo", description=__doc__, epilog=_EXAMPLES)
    parser.add_argument("--out", type=Path, default=ROOT / "demo_out")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=256, help="pixels a side")
    args = parser.parse_args()
    began = time.monotonic()
    args.out.mkdir(parents=True, exist_ok=True)
    clear(args.out)
    say("building and capturing the scene in Blender (some ten seconds)")
    buffers = Buffers()
    view = load_view(capture(args.out, args.size), buffers)
    captured = save_capture(view, buffers, args.out)
    say(f"painting “{args.prompt}” (the first time half a minute: the daemon starts)")
    request = ImageRequest(
        prompt=Prompt(args.prompt),
        width=args.size,
        height=args.size,
        sampling=Sampling(seed=args.seed),
        view=view,
    )
    painted = paint(request, buffers, args.out)
    sheet = args.out / "contact_sheet.png"
    contact_sheet(captured, painted).save(sheet)
    say(f"done in {time.monotonic() - began:.0f} s: {args.out / 'image_0.png'}")
    say(f"everything on one sheet: {sheet}")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main, as_json=False))
