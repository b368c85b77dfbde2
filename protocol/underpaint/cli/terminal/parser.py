"""The argument parser of every command: mistakes are told by what was probably meant, and help is
short first, with examples before the list of options."""

from __future__ import annotations

import argparse
import difflib
import re
import shutil
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from ...errors import ErrorCode, RequestError

_LONGEST_USAGE = 160
_WIDEST, _COLUMN = 100, 26
_MANY = 12
_ALIKE, _SHORTEST = 0.7, 2
_OPTION = re.compile(r"--[\w-]+|-[A-Za-z]")
_CHOICE = re.compile(r"argument (?P<what>\S+): invalid choice: (?P<given>'.*?'|\".*?\"|\S+) \(")


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong as every other error is said, JSON included.
    `epilog`: examples and what else is to be read before the options; its lines stay as they are.
    """

    def __init__(self, *words: Any, **named: Any) -> None:
        named.setdefault("formatter_class", _Help)
        super().__init__(*words, **named)
        self._given: list[str] = []

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What is left over is told by the command that does not know it, not by the front door."""
        self._given = [] if args is None else [str(word) for word in args]
        found, others = super().parse_known_args(args, namespace)
        if others:
            self._unknown([word for word in others if word.startswith("-")] or others)
        return found, others

    def error(self, message: str) -> NoReturn:
        # A misspelt option is not there, so argparse misses the right one: what it was comes first.
        if message.startswith("the following arguments are required"):
            unknown = [word for word in self._options(self._given) if not self._knows(word)]
            if unknown:
                self._unknown(unknown)
        if wrong := _CHOICE.match(message):
            self._no_choice(wrong["what"], wrong["given"].strip("'\""))
        raise RequestError(ErrorCode.BAD_REQUEST, message, hint=_see(self))

    def format_usage(self) -> str:
        """What must be given; the rest is `[options]`."""
        words = [self.prog, *map(_usage_of, self._needed())]
        words += ["[options]"] if any(map(_optional, self._actions)) else []
        return f"usage: {' '.join(words)}\n"

    def format_help(self) -> str:
        """Usage, what it does, examples, and then the options in their groups."""
        formatter = self._get_formatter()
        formatter.add_text(self.description)
        formatter.add_text(self.epilog)
        for group in self._action_groups:
            formatter.start_section(group.title)
            formatter.add_text(group.description)
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        return f"{self.format_usage()}\n{formatter.format_help().lstrip()}"

    def _needed(self) -> list[argparse.Action]:
        positional = [action for action in self._actions if not action.option_strings]
        return [*positional, *(a for a in self._actions if a.option_strings and a.required)]

    def _options(self, words: Iterable[str]) -> Iterable[str]:
        """The words that look like options."""
        for word in words:
            if word == "--":
                return
            name = word.partition("=")[0]
            if _OPTION.fullmatch(name):
                yield name

    def _knows(self, option: str) -> bool:
        return any(known.startswith(option) for known in self._option_string_actions)

    def _unknown(self, words: Sequence[str]) -> NoReturn:
        name = words[0].partition("=")[0]
        if name.startswith("-"):
            told = f"{', '.join(words)} is no option of `{self.prog}`"
            hint = _meant(closest(name, self._option_string_actions), self)
        else:
            told = f"`{' '.join(words)}` is more than `{self.prog}` takes"
            hint = f"Put quotes around words that belong together. {_see(self)}"
        raise RequestError(ErrorCode.BAD_REQUEST, told, hint=hint)

    def _no_choice(self, what: str, given: str) -> NoReturn:
        (action,) = (a for a in self._actions if _called(a) == what)
        choices = [str(choice) for choice in action.choices or ()]
        place = f"{what} of `{self.prog}`" if action.option_strings else f"`{self.prog}`"
        known = "" if len(choices) > _MANY else f"; it knows {', '.join(choices)}"
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"`{given}` is nothing that {place} knows{known}",
            hint=_meant(_inside(given, action) or closest(given, choices), self),
        )


class _Help(argparse.RawDescriptionHelpFormatter):
    """Lines as wide as the terminal, up to a hundred signs; each option's text is wrapped."""

    def __init__(self, prog: str, **named: Any) -> None:
        width = min(shutil.get_terminal_size().columns - 2, _WIDEST)
        super().__init__(prog, max_help_position=_COLUMN, width=max(width, 40), **named)


def refuse_word(given: str | None, known: Iterable[str], program: str) -> NoReturn:
    """Tell that a program wants one of the words that it knows. `given`: what stands there."""
    words = list(known)
    told = "say what" if given is None else f"`{given}` is nothing that there is"
    meant = None if given is None else closest(given, words)
    raise RequestError(
        ErrorCode.BAD_REQUEST,
        f"{program}: {told}; there are {', '.join(words)}",
        hint=f"{f'Did you mean `{meant}`? ' if meant else ''}See `{program} --help`.",
    )


def closest(given: str, known: Iterable[str]) -> str | None:
    """What was probably meant: the nearest of the words that are known, or None."""
    words = list(known)
    longer = [word for word in words if len(given) > _SHORTEST and word.startswith(given)]
    found = longer or difflib.get_close_matches(given, words, n=1, cutoff=_ALIKE)
    return found[-1] if found else None


def _inside(given: str, action: argparse.Action) -> str | None:
    """The command that has a word among its own: `underpaint daemon stop` for `stop`."""
    commands = action.choices if isinstance(action, argparse._SubParsersAction) else {}
    for parser in commands.values():
        if any(not one.option_strings and given in (one.choices or ()) for one in parser._actions):
            return f"{parser.prog} {given}"
    return None


def _meant(meant: str | None, parser: argparse.ArgumentParser) -> str:
    return _see(parser) if meant is None else f"Did you mean `{meant}`? {_see(parser)}"


def _see(parser: argparse.ArgumentParser) -> str:
    """Where to read how; and how, where that is short."""
    usage = " ".join(parser.format_usage().split())
    where = f"See `{parser.prog} --help`"
    return f"{where}: {usage}" if len(usage) <= _LONGEST_USAGE else f"{where}."


def _called(action: argparse.Action) -> str:
    """As argparse names it in its messages."""
    if action.option_strings:
        return "/".join(action.option_strings)
    return str(action.metavar or action.dest)


def _optional(action: argparse.Action) -> bool:
    return bool(action.option_strings) and not action.required


def _usage_of(action: argparse.Action) -> str:
    if action.option_strings:
        value = action.metavar or action.dest.upper()
        return f"{action.option_strings[-1]} {value}"
    if action.choices and action.metavar is None:
        name = "|".join(map(str, action.choices))
    else:
        name = str(action.metavar or action.dest.upper())
    many = f"{name} …" if action.nargs in (argparse.PARSER, "+", "*") else name
    return f"[{many}]" if action.nargs in ("?", "*") else many
