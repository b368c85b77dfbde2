"""Which one-byte encoding a text is in, by what it would say in each: letters stand in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_WESTERN = {"cp1252": 0.15, "cp850": 0.0, "mac_roman": -0.1, "cp437": 0.0}
"""Windows, its consoles, old Macs: how much likelier than others before anything is read."""
_CENTRAL = {"cp1250": -0.05, "iso8859_2": -0.05, "cp852": -0.15}
"""Those of Polish, Czech, Hungarian and their neighbours. Their bytes are western letters too, so
it is the places of these in words that tell."""
_OFTEN, _SELDOM, _HARDLY = "éèàçêöäüßáíóúñãåøæ", "âîïôûùëòìõœ", "žšÿýðþ"
_WEIGHTS = {
    **dict.fromkeys(_OFTEN, 1.0),
    **dict.fromkeys(_SELDOM, 0.85),
    **dict.fromkeys(_HARDLY, 0.5),
}
_CENTRAL_WEIGHTS = {
    **dict.fromkeys("ąćęłńóśźżčěřšůžýáíéúöüőňľ", 1.0),
    **dict.fromkeys("ďťűäôđ", 0.85),
    **dict.fromkeys("ĺŕăâîşţ", 0.5),
}
_ALONE = frozenset("àèéóøåöÀÈÉØÅÖ")  # words of one letter
_PLAIN = dict(zip("áíóú", "aiou", strict=True))
_VERY_FOREIGN = re.compile(r"[^\x00-\x7f]{4,}")
_VOWELS = frozenset("aeiouäöü")
# Places in words where no western language has these letters, and central ones have theirs.
_STRANGE = re.compile(r"^è.|[ìù].|.[ïõû]$|ñ(?![aeiouáéíóúü])|œ(?![uisdt])|ø[eií]|û(?![a-y])|^üu|êy")
_FOREIGN = re.compile(r"[^\x00-\x7f]{3,}")
_LEAST = 0.6


def code_page(data: bytes) -> str | None:
    """The encoding of a text that is no Unicode; None when it cannot be told: in none would it be
    of a language of western or central Europe."""
    senses = {name: _sense(data, name, _WEIGHTS) for name in _WESTERN}
    senses |= {name: _sense(data, name, _CENTRAL_WEIGHTS) for name in _CENTRAL}
    likelier = _WESTERN | _CENTRAL
    name = max(senses, key=lambda name: senses[name] + likelier[name])
    return name if senses[name] >= _LEAST else None


def _sense(data: bytes, encoding: str, weights: Mapping[str, float]) -> float:
    """How well the signs beyond ASCII stand where they do, 0..1."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    foreign = _FOREIGN if weights is _WEIGHTS else _VERY_FOREIGN
    text = foreign.sub(lambda run: "\x7f" * len(run[0]), text)  # no word is accents only
    bad = text.count("\x7f")
    high = [at for at, sign in enumerate(text) if sign > "\x7f"]
    if abs(text.count("«") - text.count("»")) > 0:
        high = [at for at in high if text[at] not in "«»"]
        bad += text.count("«") + text.count("»")
    good = sum(_at_home(text, at, weights) for at in high)
    return good / max(1, len(high) + bad)


def _at_home(text: str, at: int, weights: Mapping[str, float]) -> float:
    before, sign, after = text[max(0, at - 1) : at], text[at], text[at + 1 : at + 2]
    weight = weights.get(sign.lower(), 0.0)
    if not weight:
        return float(_SIGNS.get(sign, _never)(before, after))
    if not before.isalpha() and not after.isalpha():
        return weight * (sign in _ALONE and not before.isdigit())
    beside = "".join(s for s in (before, sign, after) if s.isalpha()).lower()
    if weights is _WEIGHTS and _STRANGE.search(beside):
        return 0.0
    turned = (sign.isupper() and before.islower()) or (sign.islower() and after.isupper())
    plain = _PLAIN.get(sign)
    between = plain is not None and before in _VOWELS and (after in _VOWELS or before == plain)
    return weight * (0.0 if turned or before.isdigit() else 0.5 if between else 1.0)


def _never(_before: str, _after: str) -> bool:
    return False


def _of_number(before: str, after: str) -> bool:
    return before.isdigit() and not after.isalpha()


def _of_money(before: str, after: str) -> bool:
    return not (before.isalpha() or after.isalpha()) and (
        before.isdigit() or after.isdigit() or before in " \xa0"
    )


def _free(before: str, after: str) -> bool:
    return not (before.isalpha() and after.isalpha())


def _dash(before: str, after: str) -> bool:
    inside = before.isalpha() and after.isalpha() and not after.isupper()
    return (before or " ").isspace() == (after or " ").isspace() and not inside


_SIGNS: dict[str, Callable[[str, str], bool]] = {
    **dict.fromkeys("’·", lambda _before, _after: True),
    **dict.fromkeys("‘“”„…«»©®™\xa0", _free),
    "§": lambda before, _after: not before.isalpha(),
    **dict.fromkeys("¿¡", lambda before, after: not before.isalnum() and after.isalpha()),
    **dict.fromkeys("–—", _dash),
    **dict.fromkeys("°²³ªº", lambda before, after: before in "mnN" or _of_number(before, after)),
    **dict.fromkeys("½¼¾±", lambda before, _after: not before.isalpha()),
    **dict.fromkeys("€£", _of_money),
    **dict.fromkeys("×÷µ•", lambda before, _after: before.isspace() or before.isdigit()),
}
"""Signs, and whether one stands there between what is before and after it."""
