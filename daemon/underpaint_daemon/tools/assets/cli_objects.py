"""`--object-prompt NAME=TEXT[:lora=FILE[:WEIGHT]]`: prompts and LoRAs of single objects, found by
their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from underpaint.cli.options import with_loras_of_its_own
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ObjectPrompt, Prompt

FORM = "NAME=TEXT[:lora=FILE[:WEIGHT]]"


def objects_in_cell(cell: str) -> tuple[str, ...]:
    """`NAME=TEXT; NAME=TEXT` of a table's cell."""
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def object_prompts(texts: Sequence[str], names: Mapping[int, str]) -> tuple[ObjectPrompt, ...]:
    """`NAME=TEXT` with the objects' ids; the last prompt of an object counts.

    names: object names by their ids. Raises RequestError(BAD_REQUEST) that lists the names.
    """
    found: dict[int, ObjectPrompt] = {}
    for text in texts:
        told, loras = with_loras_of_its_own(text, "--object-prompt")
        name, equals, prompt = told.partition("=")
        numbers = [number for number, known in names.items() if known == name.strip()]
        if not equals or not (prompt.strip() or loras):
            raise RequestError(ErrorCode.BAD_REQUEST, f"--object-prompt {text!r}: needs {FORM}")
        if not numbers:
            known = ", ".join(map(repr, names.values())) or "none with a name"
            raise RequestError(
                ErrorCode.BAD_REQUEST,
                f"--object-prompt: there is no object {name.strip()!r}",
                hint=f"The file's objects are: {known}.",
            )
        for number in numbers:
            found[number] = ObjectPrompt(number, Prompt(prompt.strip()), names[number], loras)
    return tuple(found[number] for number in sorted(found))
