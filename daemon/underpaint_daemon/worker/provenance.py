"""What every result says about itself: its recipe, and that a machine made it.

A PNG carries two iTXt chunks: `underpaint`, the recipe as JSON (request, seed, model digest,
versions), and XMP with the IPTC's DigitalSourceType, which is how viewers, search engines and
image libraries know generated pictures. No torch here.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from underpaint.requests import ImageRequest, InpaintRequest, Request, UpscaleRequest, View
from underpaint.tree import to_plain

from ..common.checks.view_parts import EXACT_KINDS
from ..common.job_contract import Artifact

Image8 = npt.NDArray[np.uint8]
CHUNK = "underpaint"
_XMP_CHUNK = "XML:com.adobe.xmp"
_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_PACKAGES = ("underpaint", "torch", "diffusers", "transformers", "numpy")
_PNG_LEVEL = 4
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmp:CreatorTool="{tool}"
    Iptc4xmpExt:DigitalSourceType="{source}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


class Origin(StrEnum):
    """The IPTC's words for where a picture comes from."""

    GENERATED = "trainedAlgorithmicMedia"
    COMPOSITE = "compositeWithTrainedAlgorithmicMedia"


def origin_of(request: Request) -> Origin:
    """COMPOSITE when pixels of the user's are part of the result or were traced for it."""
    if isinstance(request, InpaintRequest | UpscaleRequest):
        return Origin.COMPOSITE
    if isinstance(request, ImageRequest):
        mixed = request.init is not None or _traces_colour(request, request.view)
        return Origin.COMPOSITE if mixed else Origin.GENERATED
    painted = request.base is not None or request.more_tiles
    return Origin.COMPOSITE if painted else Origin.GENERATED


def recipe(request: Request, *, seed: int, index: int, model: Mapping[str, Any]) -> dict[str, Any]:
    """All that is needed to make a result again. `model`: name, family, digest, and the digests
    of files from elsewhere that took part."""
    return {
        "request": to_plain(request),
        "index": index,
        "seed": seed,
        "model": dict(model),
        "versions": dict(_versions()),
        "digital_source_type": origin_of(request).value,
    }


def encode_png(image: Image8, facts: Mapping[str, Any], origin: Origin) -> bytes:
    """(h, w, 3 or 4) or (h, w) uint8 as PNG bytes with the recipe and the IPTC's mark inside."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt(CHUNK, json.dumps(facts, sort_keys=True, separators=(",", ":")))
    tool = f"Underpaint {_versions()['underpaint']}"
    info.add_itxt(_XMP_CHUNK, _XMP.format(tool=tool, source=_IPTC + origin.value))
    stream = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.save(stream, "PNG", pnginfo=info, compress_level=_PNG_LEVEL)
    return stream.getvalue()


def image_artifacts(
    images: Sequence[Image8],
    request: ImageRequest | InpaintRequest | UpscaleRequest,
    model: Mapping[str, Any],
    *,
    stopped: bool = False,
) -> list[Artifact]:
    """`image_{i}.png` and its `image_{i}.json` for each image of a batch. `stopped`: they were
    enough before their last step, so that their recipe alone does not make them again."""
    artifacts = []
    for i, image in enumerate(images):
        seed = request.sampling.seed + i
        facts = recipe(request, seed=seed, index=i, model=model)
        if stopped:
            facts["stopped_early"] = True
        size = {"width": image.shape[1], "height": image.shape[0], "seed": seed}
        png = encode_png(image, facts, origin_of(request))
        sidecar = json.dumps(facts, indent=1, sort_keys=True).encode()
        artifacts.append(Artifact(f"image_{i}.png", "image/png", png, size))
        artifacts.append(Artifact(f"image_{i}.json", "application/json", sidecar))
    return artifacts


def _traces_colour(request: ImageRequest, view: View | None) -> bool:
    derived = (c for c in request.controls or () if c.kind not in EXACT_KINDS and c.image is None)
    return view is not None and any(derived)


@functools.cache
def _versions() -> Mapping[str, str]:
    """Looked up once: reading a package's metadata takes milliseconds."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return MappingProxyType(found)
