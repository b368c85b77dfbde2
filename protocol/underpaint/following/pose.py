"""People as OpenPose draws them: 18 points of the body, each limb in a colour of its own.

Points and colours as published (Cao et al., *OpenPose*, COCO model); thickness as ControlNet's
annotator draws them at 512 pixels: ellipses 9 wide at 0.6 of their colour, discs as wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import numpy as np

from .lines import Colour, Image8, Points, draw_disc, draw_limb


class Joint(IntEnum):
    """The points in OpenPose's order; left and right are the person's."""

    NOSE = 0
    NECK = 1
    RIGHT_SHOULDER = 2
    RIGHT_ELBOW = 3
    RIGHT_WRIST = 4
    LEFT_SHOULDER = 5
    LEFT_ELBOW = 6
    LEFT_WRIST = 7
    RIGHT_HIP = 8
    RIGHT_KNEE = 9
    RIGHT_ANKLE = 10
    LEFT_HIP = 11
    LEFT_KNEE = 12
    LEFT_ANKLE = 13
    RIGHT_EYE = 14
    LEFT_EYE = 15
    RIGHT_EAR = 16
    LEFT_EAR = 17


LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLOURS: tuple[Colour, ...] = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
_REFERENCE_SIDE = 512
_STICK, _DISC, _DARKER = 9.0, 4.5, 0.6


def draw_person(picture: Image8, joints: Mapping[Joint, Points]) -> None:
    """Draw what is known of one person: `joints` in pixels, (x, y)."""
    scale = min(picture.shape[:2]) / _REFERENCE_SIDE
    for (a, b), colour in zip(LIMBS, COLOURS, strict=False):
        start, end = joints.get(Joint(a)), joints.get(Joint(b))
        if start is not None and end is not None:
            red, green, blue = (int(part * _DARKER) for part in colour)
            draw_limb(picture, start, end, max(2.0, _STICK * scale), (red, green, blue))
    for joint, at in joints.items():
        draw_disc(picture, np.asarray(at), max(1.0, _DISC * scale), COLOURS[joint])
