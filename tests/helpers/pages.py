"""The pages of the documentation, and the code that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .processes import ROOT

PAGES = [
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in (  # as they are read; what one has made another goes on with
            "first-picture",
            "first-texture",
            "painting-on-a-painting",
            "models",
            "animation",
            "scripts",
        )
    ),
]
PAGES += [
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page not in PAGES),
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md")),
    *(
        ROOT / "daemon" / name
        for name in ("README.md", "underpaint_daemon/starter_model/README.md")
    ),
    ROOT / "protocol" / "README.md",
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Each fenced block in a language, with the page that it stands on."""
    for page in PAGES:
        for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
            if found[1] == language:
                name = page.name if page.name != "README.md" else str(page.relative_to(ROOT))
                yield name, found[2]


def shell_lines() -> dict[str, str]:
    """Each line of the shell blocks in order, with the first page that it stands on. One that ends
    in a backslash goes on in the next."""
    lines: dict[str, str] = {}
    for page, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            if line.strip():
                lines.setdefault(" ".join(line.split()), page)
    return lines
