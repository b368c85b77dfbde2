"""The training scenes show what their labels and captions say, and are the same for a seed."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from underpaint_starter.scenes import dataset, scenes
from underpaint_starter.scenes.colours import COLOURS, dominant_colour
from underpaint_starter.scenes.compounds import SHAPES, make_shape
from underpaint_starter.scenes.materials import MATERIALS, Look, Samples
from underpaint_starter.scenes.mesh_files import load_obj
from underpaint_starter.training.guided.windows import windows

torch.set_num_threads(1)


def test_a_seed_always_gives_the_same_scene() -> None:
    first, second = (dataset.render_scene(11, 96) for _ in range(2))
    assert np.array_equal(first.rgb, second.rgb)
    assert np.array_equal(first.depth, second.depth)
    assert (first.caption, first.labels) == (second.caption, second.labels)


def test_buffers_agree_with_each_other_and_with_the_labels() -> None:
    for seed in range(40, 52):
        sample = dataset.render_scene(seed, 96)
        behind = sample.object_id == 0
        assert np.array_equal(behind, np.isinf(sample.depth))
        assert not sample.normal[behind].any()
        assert np.allclose(np.linalg.norm(sample.normal[~behind], axis=-1), 1, atol=1e-4)
        shown = set(np.unique(sample.object_id)) - {0, 1}
        assert shown == {entry["id"] for entry in sample.labels["objects"]}
        assert (1 in sample.object_id) <= bool(sample.labels["ground"])


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_shape_is_turned_outwards_and_fits_the_unit_sphere(name: str) -> None:
    mesh = make_shape(name, Random(5))
    corners = mesh.vertices[mesh.faces]
    flat = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    agree = (flat * mesh.normals[mesh.faces].sum(1)).sum(-1)
    assert float((agree < -1e-7).float().mean()) < 0.01
    assert float(mesh.vertices.norm(dim=-1).max()) <= 1.0001
    assert torch.allclose(mesh.normals.norm(dim=-1), torch.tensor(1.0), atol=1e-3)


def test_the_colour_named_for_an_object_is_its_dominant_colour() -> None:
    right, wrong = 0, []
    for seed in range(5000, 5160):
        spec = scenes.sample_scene(seed)
        words = spec.objects[0].words
        if len(spec.objects) > 1 or not words.colour or spec.words.style != "photo":
            continue
        if words.colour in ("white", "grey", "black") and words.second:
            continue  # a checker of two neutral colours has no dominant one
        sample = dataset.rendered_sample(spec, 64)
        seen = dominant_colour(torch.from_numpy(sample.rgb[sample.object_id == 2]))
        right += seen == words.colour
        if seen != words.colour:
            wrong.append((seed, words, seen))
    assert right >= 0.95 * (right + len(wrong)), wrong


def test_captions_name_only_colours_the_objects_have() -> None:
    for seed in range(3000):
        spec = scenes.sample_scene(seed)
        allowed = {c for o in spec.objects for c in (o.words.colour, o.words.second)}
        text = spec.caption.replace("gray", "grey")
        for phrase in ("grey sky", "grey floor", "grey clay", "green grass", "brown soil"):
            text = text.replace(phrase, "")
        if spec.words.background:
            text = text.replace(spec.words.background, "")
        named = {word for word in COLOURS if f" {word} " in f" {text.replace(',', ' ')} "}
        assert named <= allowed, (seed, spec.caption)
        assert "  " not in spec.caption
        assert spec.caption == spec.caption.strip()


def test_held_out_combinations_never_occur_in_training() -> None:
    def combinations(held_out: bool) -> set[tuple[str, str, str]]:
        found = set()
        for seed in range(1500):
            spec = scenes.sample_scene(seed, held_out)
            if spec.words.style != "clay":
                found |= {(o.words.shape, o.words.material, o.words.colour) for o in spec.objects}
        return found

    training, kept = combinations(False), combinations(True)
    assert not training & kept
    assert len(kept) > 200


def test_shards_have_the_stated_format_and_are_not_written_twice(tmp_path: Path) -> None:
    paths = dataset.write_shards(tmp_path, 7, 5, shard_size=3, size=64)
    assert [p.name for p in paths] == ["shard_00000007_0003.npz", "shard_00000010_0002.npz"]
    with np.load(paths[0]) as shard:
        assert shard["rgb"].shape == (3, 64, 64, 3)
        assert shard["rgb"].dtype == shard["normal"].dtype == shard["object_id"].dtype == np.uint8
        assert shard["depth"].dtype == np.float16
        assert tuple(shard["normal"][shard["object_id"] == 0].reshape(-1, 3)[0]) == (128, 128, 255)
        assert str(shard["captions"][1]) == scenes.sample_scene(8).caption
    stamps = [p.stat().st_mtime_ns for p in paths]
    dataset.write_shards(tmp_path, 7, 5, shard_size=3, size=64)
    assert stamps == [p.stat().st_mtime_ns for p in paths]


def test_any_mesh_file_takes_the_place_of_the_shapes(tmp_path: Path) -> None:
    path = tmp_path / "wedge.obj"
    path.write_text(
        "v -3 0 -1\nv 3 0 -1\nv 3 0 1\nv -3 0 1\nv 0 4 0\n"
        "f 1 2 3 4\nf 1/1 5/2 2/3\nf 2 5 3\nf 3 5 4\nf -2 -1 -5\n"
    )
    sample = dataset.render_scene(3, 96, mesh=load_obj(path))
    assert sample.labels["n_objects"] == 1
    assert 0.02 < (sample.object_id == 2).mean() < 0.9


def test_every_material_is_known_from_guide_and_words_alone() -> None:
    samples = Samples(torch.rand(500), torch.rand(500) * 2, torch.rand(500))
    look = Look(torch.tensor([0.5, 0.2, 0.1]), torch.tensor([0.9, 0.9, 0.9]))
    seen = {name: make(samples, look).albedo for name, make in MATERIALS.items()}
    assert all(albedo.shape == (500, 3) for albedo in seen.values())
    varied = [name for name, albedo in seen.items() if float(albedo.std(0).max()) > 0.02]
    assert len(varied) >= 23  # all but the smooth ones follow the guide


def test_a_window_of_other_paint_keeps_the_view_and_changes_the_caption() -> None:
    found = windows(20, 128, 64)
    assert len({w.caption for w in found}) > 5
    assert all(w.rgb.shape == (64, 64, 3) and w.guide.shape == (64, 64, 3) for w in found)
    assert np.mean([(w.object_id >= 2).mean() for w in found]) > 0.3
    assert len({w.rgb.tobytes() for w in found}) == len(found)
