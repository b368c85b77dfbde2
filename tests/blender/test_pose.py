"""People from bones, and lines, without Blender."""

from __future__ import annotations

import ast
import importlib.util
import math
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from blender_addon.following.skeleton import Bone, body, part_of
from underpaint.following.lines import blank, draw_line
from underpaint.following.pose import Joint, draw_person

RIGS = {
    "Rigify": ("upper_arm.L", "forearm.R", "hand.L", "thigh.R", "shin.L", "foot.R", "spine.006"),
    "Rigify, generated": (
        *("DEF-upper_arm.L", "DEF-forearm.R", "DEF-hand.L", "DEF-thigh.R", "DEF-shin.L"),
        *("DEF-foot.R", "DEF-spine.006"),
    ),
    "Mixamo": (
        *("mixamorig:LeftArm", "mixamorig:RightForeArm", "mixamorig:LeftHand"),
        *("mixamorig:RightUpLeg", "mixamorig:LeftLeg", "mixamorig:RightFoot", "mixamorig:Head"),
    ),
    "Unreal": ("upperarm_l", "lowerarm_r", "hand_l", "thigh_r", "calf_l", "foot_r", "head"),
    "VRM": (
        *("J_Bip_L_UpperArm", "J_Bip_R_LowerArm", "J_Bip_L_Hand", "J_Bip_R_UpperLeg"),
        *("J_Bip_L_LowerLeg", "J_Bip_R_Foot", "J_Bip_C_Head"),
    ),
    "Biped": (
        *("Bip01 L UpperArm", "Bip01 R Forearm", "Bip01 L Hand", "Bip01 R Thigh", "Bip01 L Calf"),
        *("Bip01 R Foot", "Bip01 Head"),
    ),
}


@pytest.mark.parametrize("rig", RIGS)
def test_bones_are_known_by_the_names_of_common_rigs(rig):
    assert [part_of(name) for name in RIGS[rig]] == [
        *(("L", "shoulder"), ("R", "elbow"), ("L", "wrist"), ("R", "hip"), ("L", "knee")),
        *(("R", "ankle"), ("", "head")),
    ]


@pytest.mark.parametrize(
    "name",
    ["upper_arm_fk.L", "hand_ik.R", "DEF-upper_arm.L.001", "LeftShoulder", "spine", "foot_roll_l"],
)
def test_bones_that_control_or_divide_are_left_out(name):
    assert part_of(name) is None


def person() -> dict[str, Bone]:
    """Facing -Y, as rigs rest in Blender, with the arms out."""

    def bone(head, tail) -> Bone:
        ends = np.array(head, float), np.array(tail, float)
        return Bone(*ends, np.eye(3), *ends)

    bones = {"head": bone((0, 0, 1.6), (0, 0, 1.8))}
    for side, x in (("L", 1), ("R", -1)):
        bones[f"upper_arm.{side}"] = bone((0.2 * x, 0, 1.5), (0.5 * x, 0, 1.5))
        bones[f"forearm.{side}"] = bone((0.5 * x, 0, 1.5), (0.8 * x, 0, 1.5))
        bones[f"thigh.{side}"] = bone((0.1 * x, 0, 1.0), (0.1 * x, 0, 0.5))
        bones[f"shin.{side}"] = bone((0.1 * x, 0, 0.5), (0.1 * x, 0, 0.0))
    return bones


def test_a_body_has_its_points_where_bones_meet_and_ends_where_they_end():
    found = body(person(), np.array([0.0, -5.0, 1.5]))
    assert set(found) == set(Joint), "seen from before, all eighteen are there"
    assert found[Joint.NECK].tolist() == [0, 0, 1.5]
    assert found[Joint.LEFT_WRIST].tolist() == [0.8, 0, 1.5], "without a hand"
    assert found[Joint.NOSE][1] < 0, "towards where the body faces"
    assert found[Joint.LEFT_EYE][0] > 0 > found[Joint.RIGHT_EYE][0]


def test_of_a_head_that_is_turned_away_ears_alone_are_drawn():
    behind = body(person(), np.array([0.0, 5.0, 1.5]))
    assert set(Joint) - set(behind) == {Joint.NOSE, Joint.LEFT_EYE, Joint.RIGHT_EYE}
    beside = body(person(), np.array([5.0, 0.0, 1.5]))
    assert set(Joint) - set(beside) == {Joint.RIGHT_EAR}


def test_bones_of_something_else_are_no_person():
    assert body({"Bone": person()["head"], "tail.L": person()["shin.L"]}, np.zeros(3)) == {}


def published():
    """ControlNet's own drawing of a body. Its package needs torchvision, which is not here: the
    function is taken out of its file."""
    package = importlib.util.find_spec("controlnet_aux")
    file = Path(package.submodule_search_locations[0]) / "open_pose" / "util.py"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kept = [node for node in tree.body if getattr(node, "name", "") == "draw_bodypose"]
    names = {"np": np, "math": math, "cv2": cv2, "List": list, "Keypoint": SimpleNamespace}
    exec(compile(ast.Module(kept, []), str(file), "exec"), names)
    return names["draw_bodypose"]


def test_a_person_is_drawn_as_controlnets_annotator_draws_it():
    at = np.random.default_rng(3).uniform(150, 360, (18, 2))
    picture = blank(512, 512)
    draw_person(picture, dict(zip(Joint, at, strict=True)))
    told = [SimpleNamespace(x=x / 512, y=y / 512) for x, y in at]
    wanted = published()(np.zeros((512, 512, 3), np.uint8), told)
    differs = np.abs(picture.astype(int) - wanted).max(-1) > 40
    assert differs.sum() < 0.15 * (wanted.max(-1) > 0).sum(), "edges are cut a pixel otherwise"


def test_a_line_is_as_thick_as_asked_and_cut_at_the_edge():
    picture = blank(40, 20)
    draw_line(picture, np.array([[-10.0, 10.0], [60.0, 10.0]]), 4)
    assert (picture[:, 20, 0] > 127).sum() == 4
    assert picture[9:11].min() == 255
    draw_line(picture, np.array([[200.0, 200.0], [300.0, 200.0]]), 4)
