"""A model that knows few words is told in those, and says what it left out."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from transformers import CLIPTokenizer

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, Prompt, Sampling
from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.worker.pipelines.families.vocabulary import NAME, Reading, Vocabulary

from helpers.painting.studio import Recorder, Studio


@dataclass(frozen=True)
class Reader:
    """The starter's words and tokenizer."""

    words: Vocabulary
    tokenizer: CLIPTokenizer

    def __call__(self, prompt: str) -> Reading:
        return self.words.read(prompt, self.tokenizer)


@pytest.fixture(scope="module")
def read() -> Reader:
    found = Vocabulary.of(starter_folder())
    assert found is not None
    return Reader(found, CLIPTokenizer.from_pretrained(starter_folder() / "tokenizer"))


CAPTIONS = {
    "bricks": "a brick object",
    "red bricks": "a red brick object",
    "an old wall of wooden planks, weathered": "a wooden plank wall",
    "A MONK, Blue-Tiled, highly detailed, 8k": "a blue tiled figure",
    "fantasy castle made of red bricks in a dark forest at night": "a red brick tower",
    "a zebra": "a black and white striped animal",
    "a castle of grey stone blocks covered in moss, sunset": "a grey cracked stone tower, sunset",
    "an old stone house covered in moss": "a mossy stone house",
    "some blue cow on a red background": "a blue clay animal, red background",
    "the cow's face is gold": "a gold animal",
    "one red brick house next to the green tree on snow": (
        "a red brick house and a green clay tree on snow"
    ),
    "watercolour of the pink plastic toy": "a pink plastic object, watercolour",
    "yellow cylinder covered with bark on snowy ground": "a yellow bark cylinder on snow",
    "a rusty red crate": "a rusty metal cube",
    "glowing, very detailed": "a clay object",
    "???": "a clay object",
    " ": "",
}


@pytest.mark.parametrize("prompt", CAPTIONS)
def test_a_prompt_is_put_as_the_captions_were(read: Reader, prompt: str) -> None:
    assert read(prompt).text == CAPTIONS[prompt]


@pytest.mark.parametrize(
    "prompt", ["rote Ziegel", "briques rouges", "ladrillos rojos", "赤いレンガ", "红色砖块"]
)
def test_the_panels_other_languages_are_understood(read: Reader, prompt: str) -> None:
    assert read(prompt).text == "a red brick object"
    assert read(prompt).unknown == ()


@pytest.mark.parametrize(
    "prompt",
    [
        "two red brick cubes and a black and white stripy teapot on snow, sunset",
        "Photo of a mossy stone cow",
        "clay orange box on water",
    ],
)
def test_what_reads_like_a_caption_stays(read: Reader, prompt: str) -> None:
    assert read(prompt).text == prompt


def test_what_it_puts_so_it_reads_as_the_same(read: Reader) -> None:
    for said in CAPTIONS.values():
        assert read(said).text == said


def test_words_that_it_does_not_know_are_named_once(read: Reader) -> None:
    assert read("old, old bricks of yore").unknown == ("old", "yore")


def test_weights_and_breaks_stay_with_their_words(read: Reader) -> None:
    found = read("a (crimson:1.4) old brick wall BREAK on the beach")
    assert found.text == "(red:1.4) brick BREAK on sand"
    assert found.unknown == ("old",)


def test_a_words_file_that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps({"colours": ["red"]}), "utf-8")
    with pytest.raises(RequestError, match=NAME) as caught:
        Vocabulary.of(tmp_path)
    assert caught.value.code is ErrorCode.MODEL_BROKEN


def test_another_model_reads_every_word(tmp_path: Path) -> None:
    assert Vocabulary.of(tmp_path) is None


def test_a_model_of_few_words_paints_the_same_however_it_is_said(studio: Studio) -> None:
    """And says what it left out, and what it painted instead."""
    folder = studio.models.paths.models / "few"
    shutil.copytree(studio.models.paths.models / "tiny", folder)
    shutil.copy(starter_folder() / NAME, folder / NAME)
    asked, told = Sampling(seed=3, steps=1), Recorder()

    def painted(words: str, reporter: Recorder) -> npt.NDArray[np.uint8]:
        request = ImageRequest(Prompt(words), model="few", width=64, height=64, sampling=asked)
        return studio.paint(request, reporter=reporter)[0]

    plain = painted("a red brick tower", quiet := Recorder())
    assert np.array_equal(painted("ancient castle of scarlet bricks", told), plain)
    assert not np.array_equal(painted("ancient castle of green bricks", Recorder()), plain)
    assert quiet.warnings == []
    (said,) = told.warnings
    assert "ancient" in said
    assert "a red brick tower" in said
