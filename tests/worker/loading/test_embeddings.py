"""Textual inversions: named in the prompt, found where they lie, in the recipe, refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, Prompt
from underpaint.words import has_numbers, without_numbers
from underpaint_daemon.common.embedding_files import mentions, mentions_none
from underpaint_daemon.common.places import add_folder
from underpaint_daemon.worker.pipelines.families.named import read_vectors

from helpers.painting.studio import Recorder, Studio
from helpers.painting.tiny_model import WIDTH, build_xl

ASKED = ImageRequest(Prompt("a red cube"), model="tiny", width=64, height=64, controls=())


def vectors(seed: int, count: int = 2, width: int = WIDTH) -> torch.Tensor:
    return torch.randn((count, width), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def folder(studio: Studio) -> Iterator[Path]:
    """Every form in which people have them; gone afterwards, for other tests paint in red, too."""
    place = studio.models.paths.models / "embeddings"
    (place / "learned").mkdir(parents=True)
    a1111 = {"string_to_token": {"*": 265}, "string_to_param": {"*": vectors(1)}, "name": "x"}
    torch.save(a1111, place / "old style.v2.pt")
    save_file({"emb_params": vectors(1)}, place / "Same.safetensors")
    save_file({"<learned>": vectors(3)[0]}, place / "learned" / "learned_embeds.safetensors")
    torch.save({"<binary>": vectors(4)[0]}, place / "binary.bin")
    both = {"clip_l": vectors(5), "clip_g": vectors(6)}
    save_file(both, place / "forxl.safetensors")
    save_file({"emb_params": vectors(7, width=768)}, place / "red.safetensors")
    yield place
    shutil.rmtree(place)


def painted(studio: Studio, words: str, **more: object) -> np.ndarray:
    return studio.paint(replace(ASKED, prompt=Prompt(words), **more))[0]


def test_a_name_in_any_form_reads_its_vectors(studio: Studio, folder: Path) -> None:
    plain = painted(studio, "a cube")
    by_name = painted(studio, "a same cube")
    assert not np.array_equal(by_name, plain)
    for words in ("a SAME cube", "a embedding:same cube", "a <Same> cube"):
        assert np.array_equal(painted(studio, words), by_name)
    assert np.array_equal(painted(studio, "a embedding:old style.v2 cube".replace(
        "embedding:", "")), by_name)  # fmt: skip
    learned = [painted(studio, f"a {name} cube") for name in ("learned", "binary")]
    assert not np.array_equal(learned[0], learned[1])
    assert not np.array_equal(painted(studio, "a (same:1.5) cube"), by_name)


def test_it_works_in_the_negative_prompt_and_beyond_one_window(
    studio: Studio, folder: Path
) -> None:
    plain = studio.paint(ASKED)[0]
    avoided = replace(ASKED, prompt=Prompt("a red cube", "same"))
    assert not np.array_equal(studio.paint(avoided)[0], plain)
    many = " ".join(["a red cube"] * 12)
    assert not np.array_equal(painted(studio, f"{many} same"), painted(studio, many))


def test_the_recipe_tells_its_digest(studio: Studio, folder: Path) -> None:
    files = studio.run(replace(ASKED, prompt=Prompt("a <same> cube")))
    recipe = json.loads(next(f for f in files if f.name == "image_0.json").data)
    before = recipe["model"]["files"]["same"]
    save_file({"emb_params": vectors(9)}, folder / "Same.safetensors")
    files = studio.run(replace(ASKED, prompt=Prompt("a <same> cube")))
    after = json.loads(next(f for f in files if f.name == "image_0.json").data)
    assert after["model"]["files"]["same"] != before
    save_file({"emb_params": vectors(1)}, folder / "Same.safetensors")


def test_one_for_another_family_is_refused_by_name_or_is_a_word(
    studio: Studio, folder: Path
) -> None:
    with pytest.raises(RequestError, match=r"'forxl' was made for SDXL") as refused:
        painted(studio, "a embedding:forxl cube")
    assert refused.value.hint
    with pytest.raises(RequestError, match="There is no embedding 'nowhere'; there are: binary"):
        painted(studio, "a embedding:nowhere cube")
    told = Recorder()
    studio.paint(ASKED, told)
    assert [w for w in told.warnings if "'red'" in w and "SD 1.5" in w]
    assert len([w for w in told.warnings if "'red'" in w]) == 1


def test_sdxl_reads_a_tensor_for_each_of_its_encoders(studio: Studio, folder: Path) -> None:
    build_xl(studio.models.paths.models / "tiny_xl")
    plain = painted(studio, "a cube", model="tiny_xl")
    assert not np.array_equal(painted(studio, "a forxl cube", model="tiny_xl"), plain)
    with pytest.raises(RequestError, match="'same' was made for"):
        painted(studio, "a embedding:same cube", model="tiny_xl")


def test_embeddings_beside_another_programs_models_are_found(
    studio: Studio, folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "web ui"
    (home / "models").mkdir(parents=True)
    (home / "embeddings").mkdir()
    save_file({"emb_params": vectors(8)}, home / "embeddings" / "theirs.safetensors")
    plain = painted(studio, "a theirs cube")
    add_folder(studio.models.paths, home / "models")
    assert not np.array_equal(painted(studio, "a theirs cube"), plain)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    for name, data in (("a.pt", b"\x80\x04nothing"), ("b.safetensors", b"xx"), ("c.bin", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(RequestError, match=name) as broken:
            read_vectors(tmp_path / name)
        assert broken.value.code is ErrorCode.MODEL_BROKEN


def test_the_first_trainers_tables_are_read_and_code_is_not(tmp_path: Path) -> None:
    first, code = tmp_path / "first.pt", tmp_path / "code.pt"
    table = torch.nn.ParameterDict({"*": torch.nn.Parameter(vectors(8))})
    torch.save({"string_to_param": table}, first)
    torch.save({"string_to_param": torch.nn.Linear(2, 2)}, code)
    assert torch.equal(read_vectors(first)[0], vectors(8))
    with pytest.raises(RequestError, match="which could run code"):
        read_vectors(code)


def test_words_around_a_name_are_no_part_of_it() -> None:
    found = mentions("Easy, uneasy easy-going (easy:1.2) embedding:easy. <easy> <b>", {"easy"})
    assert [m.start for m in found] == [0, 25, 35, 51]


def test_families_that_read_no_weights_are_told_of_in_words() -> None:
    assert has_numbers("a (mossy:1.4) stone")
    assert has_numbers("a BREAK b")
    for text in ('{"a": [1, 2]}', "a stone (old)", r"\(a:1.2\)", "at 12:30 (noon)", "[a]"):
        assert not has_numbers(text)
    assert without_numbers("a ((mossy:1.4) old:.5) stone BREAK b") == "a mossy old stone b"
    with pytest.raises(RequestError, match="FLUX reads no textual inversions"):
        mentions_none(["a embedding:x"], "FLUX")
