"""One's own ControlNet: folders, single files of both layouts, Union networks, T2I-Adapters; and
what looks like one but is not, refused by name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import ControlNetUnionModel, T2IAdapter
from safetensors.torch import save_file

from underpaint.buffers import Kind
from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, ImageRequest, InpaintRequest, Prompt, View
from underpaint_daemon.worker.pipelines.controls.union import in_mode

from helpers.painting.ldm_layout import export_controlnet
from helpers.painting.studio import Studio, ball_view, photo
from helpers.painting.tiny_model import build_xl

ASKED = ImageRequest(Prompt("a red cube"), model="tiny", width=64, height=64)
DEPTH = ControlKind.DEPTH


def test_a_network_paints_the_same_from_folder_and_both_kinds_of_file(
    studio: Studio, view: View, paths: Paths, tmp_path: Path
) -> None:
    own = paths.models / "tiny" / "controlnet_depth"
    strange = tmp_path / "Größe ü: v1.5, (a b)=c@d"
    shutil.copytree(own, strange / "folder")
    shutil.copy(own / "diffusion_pytorch_model.safetensors", strange / "новый.safetensors")
    network = studio.models.load("tiny").controlnets["depth"]
    plain = export_controlnet(network, strange / "original.safetensors")
    prefixed = export_controlnet(network, strange / "prefixed.safetensors", "control_model.")
    expected = studio.paint(replace(ASKED, view=view, controls=(Control(DEPTH),)))[0]
    for path in (strange / "folder", strange / "новый.safetensors", plain, prefixed):
        control = Control(DEPTH, model=str(path))
        assert np.array_equal(
            studio.paint(replace(ASKED, view=view, controls=(control,)))[0], expected
        ), path


def test_a_network_is_found_by_its_name_among_the_models(
    studio: Studio, view: View, paths: Paths
) -> None:
    own = paths.models / "tiny" / "controlnet_depth" / "diffusion_pytorch_model.safetensors"
    folder = paths.models / "controlnet"
    folder.mkdir(exist_ok=True)
    shutil.copy(own, folder / "my depth.safetensors")
    expected = studio.paint(replace(ASKED, view=view, controls=(Control(DEPTH),)))[0]
    for name in ("my depth", "my depth.safetensors"):
        control = Control(DEPTH, model=name)
        found = studio.paint(replace(ASKED, view=view, controls=(control,)))[0]
        assert np.array_equal(found, expected)
    shutil.rmtree(folder)


def test_networks_from_elsewhere_are_loaded_once_anew_when_changed_and_dropped_when_short(
    studio: Studio, view: View, paths: Paths, tmp_path: Path
) -> None:
    folder = tmp_path / "net"
    shutil.copytree(paths.models / "tiny" / "controlnet_depth", folder)
    asked = replace(ASKED, view=view, controls=(Control(DEPTH, model=str(folder)),))
    studio.paint(asked)
    model = studio.models.load("tiny")
    (first,) = (v for k, v in model.companions.items() if k[0] == folder)
    studio.paint(asked)
    assert [v for k, v in model.companions.items() if k[0] == folder] == [first]
    (folder / "note.txt").write_text("changed")
    studio.paint(asked)
    (second,) = (v for k, v in model.companions.items() if k[0] == folder)
    assert second is not first
    limit, studio.models.limit_bytes = studio.models.limit_bytes, 1
    studio.models.trim()
    assert not model.companions
    studio.models.limit_bytes = limit


@pytest.fixture(scope="module")
def xl(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_xl(tmp_path_factory.mktemp("xl") / "xl"))


def union(studio: Studio, xl: str, modes: int) -> ControlNetUnionModel:
    """A Union network with the shapes of the tiny model."""
    torch.manual_seed(3)
    unet = studio.models.load(xl).unet
    config = {
        key: unet.config[key]
        for key in (
            *("down_block_types", "block_out_channels", "layers_per_block", "norm_num_groups"),
            *("cross_attention_dim", "attention_head_dim", "addition_embed_type"),
            *("addition_time_embed_dim", "projection_class_embeddings_input_dim"),
        )
    }
    network = ControlNetUnionModel(
        **config,
        conditioning_embedding_out_channels=(8, 8, 16),
        num_control_type=modes,
        num_trans_channel=16,
        num_proj_channel=16,
        num_trans_head=8,
    )
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.15)
    return network.eval()


def test_a_union_network_acts_by_its_modes_from_folder_and_file(
    studio: Studio, xl: str, tmp_path: Path
) -> None:
    view = ball_view(studio.buffers)
    union(studio, xl, 6).save_pretrained(tmp_path / "union")
    single = tmp_path / "union-promax.safetensors"
    shutil.copy(tmp_path / "union" / "diffusion_pytorch_model.safetensors", single)
    # The released folder calls itself a plain ControlNet.
    asked = replace(ASKED, model=xl, view=view)

    def paint(*kinds: ControlKind, path: Path = single) -> bytes:
        controls = tuple(Control(kind, model=str(path)) for kind in kinds)
        return studio.paint(replace(asked, controls=controls))[0].tobytes()

    pictures = [studio.paint(asked)[0].tobytes(), paint(DEPTH), paint(ControlKind.NORMAL)]
    pictures += [paint(ControlKind.LINEART), paint(DEPTH, ControlKind.NORMAL)]
    assert len(set(pictures)) == len(pictures)
    assert paint(DEPTH, path=tmp_path / "union") == pictures[1]
    init = studio.buffers.add(Kind.COLOR, photo())
    control = (Control(DEPTH, model=str(single)),)
    studio.paint(replace(asked, init=init, controls=control))
    tile = Control(ControlKind.TILE, model=str(single))
    with pytest.raises(UnderpaintError, match="no tile mode"):
        studio.run(replace(asked, init=init, controls=(tile,)))


# xinsir6/ControlNetPlus, README: what each mode was trained on; the last two are ProMax's.
PUBLISHED = {
    ControlKind.OPENPOSE: 0,
    ControlKind.DEPTH: 1,
    ControlKind.SOFTEDGE: 2,
    ControlKind.SCRIBBLE: 2,
    ControlKind.CANNY: 3,
    ControlKind.LINEART: 3,
    ControlKind.NORMAL: 4,
    ControlKind.SEGMENT: 5,
    ControlKind.TILE: 6,
    ControlKind.INPAINT: 7,
}


def test_promax_acts_in_the_published_modes(studio: Studio, xl: str) -> None:
    """In a mode it answers as the network itself does when it is told the mode's number."""
    network, unet = union(studio, xl, 8), studio.models.load(xl).unet
    picture = torch.rand(1, 3, 64, 64)
    sample = torch.randn(1, 4, *(side // 4 for side in picture.shape[-2:]))
    words = torch.randn(1, 3, unet.config.cross_attention_dim)
    sizes = unet.config.projection_class_embeddings_input_dim
    pooled = sizes - 6 * unet.config.addition_time_embed_dim
    more = {"text_embeds": torch.randn(1, pooled), "time_ids": torch.zeros(1, 6)}
    asked = {"added_cond_kwargs": more, "return_dict": False}
    answers = []
    with torch.no_grad():
        for kind, number in PUBLISHED.items():
            told = torch.zeros(1, 8)
            told[:, number] = 1
            expected = network(
                sample, 5, words, [picture], told, [number], conditioning_scale=1.0, **asked
            )
            made = in_mode(network, kind)(sample, 5, words, picture, **asked)
            assert torch.equal(made[1], expected[1])
            answers.append(made[1].numpy().tobytes())
    assert len(set(answers)) == len(set(PUBLISHED.values()))


def adapter(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A T2I-Adapter as folder, as file, and as file of the first release."""
    torch.manual_seed(4)
    network = T2IAdapter(
        in_channels=3,
        channels=[16, 32],
        num_res_blocks=2,
        downscale_factor=8,
        adapter_type="full_adapter_xl",
    ).eval()
    network.save_pretrained(tmp_path / "adapter")
    file = tmp_path / "adapter.safetensors"
    shutil.copy(tmp_path / "adapter" / "diffusion_pytorch_model.safetensors", file)
    old = {}
    for name, tensor in network.state_dict().items():
        parts = name.removeprefix("adapter.").split(".")
        if parts[0] == "body" and parts[2] == "resnets":
            parts = ["body", str(2 * int(parts[1]) + int(parts[3])), *parts[4:]]
        elif parts[0] == "body":
            parts = ["body", str(2 * int(parts[1])), *parts[2:]]
        old[".".join(parts)] = tensor.clone()
    save_file(old, tmp_path / "old.safetensors")
    return tmp_path / "adapter", file, tmp_path / "old.safetensors"


def test_a_t2i_adapter_acts_in_its_range_for_every_task(
    studio: Studio, view: View, tmp_path: Path
) -> None:
    asked = replace(ASKED, view=view)
    plain = studio.paint(asked)[0]
    pictures = [
        studio.paint(replace(asked, controls=(Control(DEPTH, model=str(path)),)))[0]
        for path in adapter(tmp_path)
    ]
    assert not np.array_equal(plain, pictures[0])
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])
    control = Control(DEPTH, model=str(tmp_path / "adapter"))
    weak = studio.paint(replace(asked, controls=(replace(control, scale=0.3),)))[0]
    early = studio.paint(replace(asked, controls=(replace(control, end=0.5),)))[0]
    with_net = studio.paint(replace(asked, controls=(control, Control(ControlKind.NORMAL))))[0]
    others = [plain, pictures[0], weak, early, with_net]
    assert len({one.tobytes() for one in others}) == len(others)
    assert np.array_equal(studio.paint(asked)[0], plain)


@pytest.mark.parametrize(
    ("name", "tensor", "problem"),
    [
        ("a.safetensors", "lora_controlnet", "ControlNet-LoRA"),
        ("b.safetensors", "lllite_unet_down.depth.weight", "ControlNet-LLLite"),
        ("c.safetensors", "lora_unet_down.lora_up.weight", "is a LoRA"),
        ("d.safetensors", "model.diffusion_model.out.0.weight", "has a UNet"),
        ("e.safetensors", "something.else", "no ControlNet"),
    ],
)
def test_what_is_no_controlnet_is_refused_by_what_it_is(
    studio: Studio, view: View, tmp_path: Path, name: str, tensor: str, problem: str
) -> None:
    save_file({tensor: torch.zeros(2, 2)}, tmp_path / name)
    control = Control(DEPTH, model=str(tmp_path / name))
    with pytest.raises(RequestError) as caught:
        studio.run(replace(ASKED, view=view, controls=(control,)))
    assert problem in caught.value.message
    assert "safetensors" in caught.value.hint


def test_pickles_and_other_families_are_refused_by_name(
    studio: Studio, view: View, xl: str, tmp_path: Path
) -> None:
    pickled = tmp_path / "control_v11p_sd15_canny.pth"
    pickled.write_bytes(b"x")
    for path, problem in ((pickled, "pickled"), (Path(xl) / "controlnet_depth", "another family")):
        control = Control(DEPTH, model=str(path))
        with pytest.raises(RequestError) as caught:
            studio.run(replace(ASKED, view=view, controls=(control,)))
        assert caught.value.code is ErrorCode.MODEL_BROKEN
        assert problem in caught.value.message


def test_tile_and_inpaint_controls_take_the_picture_itself(studio: Studio, paths: Paths) -> None:
    net = str(paths.models / "tiny" / "controlnet_depth")
    image = photo()
    init = studio.buffers.add(Kind.COLOR, image)
    tile = Control(ControlKind.TILE, model=net)
    plain = studio.paint(replace(ASKED, init=init))[0]
    assert not np.array_equal(plain, studio.paint(replace(ASKED, init=init, controls=(tile,)))[0])
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 10:50] = 255
    hole = studio.buffers.add(Kind.MASK, mask)
    asked = InpaintRequest(Prompt("a ball"), init, hole, model="tiny")
    inpaint = Control(ControlKind.INPAINT, model=net)
    pictures = [
        studio.paint(replace(asked, controls=controls))[0].tobytes()
        for controls in ((), (inpaint,), (replace(inpaint, convention="black"),))
    ]
    assert len(set(pictures)) == 3
    with pytest.raises(RequestError, match="needs a mask"):
        studio.run(replace(ASKED, init=init, controls=(inpaint,)))
