"""Kotlin text taken apart just far enough to find checks in it: no compiler, but strings and brackets are respected."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPEN, CLOSE = "([{", ")]}"


def mask(text: str) -> str:
    """The text with strings and comments blanked out, every other character at its place."""
    out: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith("//", at):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            out.append(" " * (end - at))
        elif text.startswith("/*", at):
            end = text.index("*/", at) + 2
            out.append(re.sub(r"[^\n]", " ", text[at:end]))
        elif text[at] == '"':
            end = _string_end(text, at)
            out.append(re.sub(r"[^\n]", "S", text[at:end]))
        elif text[at] == "'":
            end = text.index("'", at + (3 if text[at + 1] == "\\" else 2)) + 1
            out.append("S" * (end - at))
        else:
            end = at + 1
            out.append(text[at])
        at = end
    return "".join(out)


def _string_end(text: str, at: int) -> int:
    quote = '"""' if text.startswith('"""', at) else '"'
    at += len(quote)
    while not text.startswith(quote, at):
        if text.startswith("${", at):
            at = _template_end(text, at + 2)
        else:
            at += 2 if text[at] == "\\" and quote == '"' else 1
    return at + len(quote)


def _template_end(text: str, at: int) -> int:
    depth = 1
    while depth:
        if text[at] == '"':
            at = _string_end(text, at)
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at


@dataclass(frozen=True)
class Span:
    """A piece of a masked text, `start` to before `end`, without blanks around it."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The piece itself."""
        return text[self.start : self.end]


def trimmed(text: str, start: int, end: int) -> Span:
    """The span without blanks around it."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def closing(text: str, at: int) -> int:
    """Where the bracket at `at` closes."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in OPEN) - (text[i] in CLOSE)
        if depth == 0:
            return i
    raise ValueError(f"the bracket at {at} never closes")


def split(text: str, span: Span, mark: str) -> list[Span]:
    """The parts of a span between the marks that stand outside of all brackets."""
    parts, depth, start, i = [], 0, span.start, span.start
    while i < span.end:
        depth += (text[i] in OPEN) - (text[i] in CLOSE)
        if depth == 0 and text.startswith(mark, i):
            parts.append(trimmed(text, start, i))
            i += len(mark)
            start = i
        else:
            i += 1
    return [*parts, trimmed(text, start, span.end)]


def first_argument(text: str, bracket: int) -> Span:
    """The first argument of the call whose bracket opens at `bracket`."""
    inner = Span(bracket + 1, closing(text, bracket))
    return split(text, inner, ",")[0]


def scope(text: str, at: int) -> str:
    """The class and function around `at`, as far as words and indentation tell: `Class.function`."""
    function = list(re.finditer(r"^( *).*?\bfun (?:<[^>]+> )?(?:\w+\.)?(\w+)\(", text[:at], re.MULTILINE))[-1]
    classes = re.finditer(r"^( *)(?:\w+ )*(?:class|object|interface) (\w+)", text[: function.start()], re.MULTILINE)
    around = [found.group(2) for found in classes if len(found.group(1)) < len(function.group(1))]
    return ".".join([*around[-1:], function.group(2)])
