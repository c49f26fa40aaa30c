"""Finds the checks of the contracts and flows, and rewrites the sources so that each can be switched off at run time.

A condition that must hold, `require(a && b)`, becomes `require((a || off(1)) && (b || off(2)))`; a call that refuses by
throwing becomes `try { check(tx) } catch … { unless off(3), throw it }`. `off` is asked only when the check has failed,
so a test that never asks cannot tell the mutant from the original.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation.source import Span, closing, first_argument, mask, scope, split, trimmed

CONDITION = re.compile(r"(?<!fun )\b(?:require|refuseUnless|checkParty)\(")
CALL = re.compile(
    r"(?<![\w.])(?:\w+(?:\(\))?\.)*(?:check(?!Lines)[A-Z]\w*|checked|require[A-Z]\w*|verifyRequiredSignatures|verifySignaturesExcept)\("
)
# What may stand before a call that is a statement: a line's beginning, a brace, an arrow, an if or else.
STATEMENT = re.compile(r"(?:^ *|[{] |-> |\belse |\bif \(.*\) )$")
OFF = 'org.ippon.contracts.mutantOff("{}")'
CAUGHT = ' }} catch (mutantCause: Throwable) {{ org.ippon.contracts.mutantThrow("{}", mutantCause) }}'


@dataclass(frozen=True)
class Site:
    """One check that can be switched off. `text` is the check as it stands in the source, blanks made one."""

    id: str
    path: str
    text: str


@dataclass(frozen=True)
class Cut:
    """A site before it has a name: which text goes before and after `span`; `{}` stands for the id."""

    span: Span
    before: str
    after: str
    what: Span


def holds(span: Span) -> Cut:
    """A condition that must be true."""
    return Cut(span, "(", f" || {OFF})", span)


def stops(span: Span) -> Cut:
    """A condition that is true when something is wrong, or a flag that asks for a check."""
    return Cut(span, "(", f" && !{OFF})", span)


def call(span: Span) -> Cut:
    """A statement that throws when something is wrong."""
    return Cut(span, "try { ", CAUGHT, span)


def throw(span: Span) -> Cut:
    """A throw that is a statement."""
    return Cut(span, f"if (!{OFF}) ", "", span)


def conditions(text: str, span: Span) -> Iterator[Cut]:
    """A cut for each conjunct of a condition that must be true, inside brackets and `all { … }` too."""
    ors = split(text, span, "||")
    if len(ors) > 1:
        groups = [part for part in ors if len(split(text, part, "&&")) > 1]
        if not groups:
            yield holds(span)
        for group in groups:
            yield from conditions(text, group)
        return
    ands = split(text, span, "&&")
    if len(ands) == 1:
        inner = _inner(text, span)
        yield from conditions(text, inner) if inner else iter([holds(span)])
        return
    for i, part in enumerate(ands):
        if _guards(text, part, ands[i + 1 :]):
            # The compiler needs this one to read the others, so it is not left out: its failing is let pass.
            yield Cut(span, f"(!({part.of(text)}) && {OFF}) || ", "", part)
        else:
            yield from conditions(text, part)


def _inner(text: str, span: Span) -> Span | None:
    """What is inside a condition all in brackets, or the body of an `all` over a conjunction."""
    piece = span.of(text)
    if piece.startswith("(") and closing(text, span.start) == span.end - 1:
        return trimmed(text, span.start + 1, span.end - 1)
    every = re.search(r"\.all \{", piece)
    if every and closing(text, span.start + every.end() - 1) == span.end - 1:
        body = trimmed(text, span.start + every.end(), span.end - 1)
        return body if len(split(text, body, "&&")) > 1 else None
    return None


def _guards(text: str, part: Span, later: list[Span]) -> bool:
    name = re.match(r"(\w+)(?: != null$| is \w|\?\.)", part.of(text))
    return bool(name) and any(re.search(rf"\b{name.group(1)}\.", other.of(text)) for other in later if name)


def calls(text: str) -> Iterator[Cut]:
    """A cut for each statement that calls a check function."""
    for found in CALL.finditer(text):
        line = text.rfind("\n", 0, found.start()) + 1
        end = closing(text, found.end() - 1) + 1
        above = text[:line].rstrip()
        first = not text[line : found.start()].strip()
        if found.group().endswith("checkParty(") or not STATEMENT.search(text[line : found.start()]):
            continue
        if first and above.endswith(("=", "(", ",", "&&", "||", "?:", "+")):
            continue
        if re.match(r"\s*(?:\n|\}|else\b|$)", text[end:]) and not re.match(r"\s*(?:\.|\?)", text[end:]):
            yield call(Span(found.start(), end))


def named(original: str, text: str, extras: dict[str, list[str]]) -> Iterator[Cut]:
    """The cuts that `sites.toml` names, because no rule finds them: kind → texts."""
    simple = {"stops": stops, "holds": holds, "call": call, "throw": throw}
    for kind, wanted in extras.items():
        for marked in wanted:
            before, piece, after = re.split("[«»]", marked) if "«" in marked else ("", marked, "")
            places = [m.start() + len(before) for m in re.finditer(re.escape(before + piece + after), original)]
            if not places:
                raise ValueError(f"sites.toml names a check that is not there: {marked!r}")
            for span in (Span(place, place + len(piece)) for place in places):
                yield from conditions(text, span) if kind == "condition" else [simple[kind](span)]


def rewrite(path: str, original: str, extras: dict[str, list[str]]) -> tuple[str, list[Site]]:
    """The mutated source of one file, and its sites."""
    text = mask(original)
    cuts = [cut for m in CONDITION.finditer(text) for cut in conditions(text, first_argument(text, m.end() - 1))]
    cuts += [*calls(text), *named(original, text, extras)]
    cuts.sort(key=lambda cut: (cut.what.start, -cut.what.end))
    numbers: Counter[str] = Counter()
    sites, insertions = [], []
    for cut in cuts:
        where = f"{Path(path).name}:{scope(text, cut.what.start)}"
        numbers[where] += 1
        site = Site(f"{where}:{numbers[where]}", path, " ".join(cut.what.of(original).split()))
        sites.append(site)
        size = cut.span.end - cut.span.start
        # Outer before inner where both begin, inner before outer where both end.
        insertions.append((cut.span.start, 1, -size, _fill(cut.before, original, cut, site.id)))
        insertions.append((cut.span.end, 0, size, _fill(cut.after, original, cut, site.id)))
    out, last = [], 0
    for at, _, _, piece in sorted(insertions, key=lambda i: i[:3]):
        out += [original[last:at], piece]
        last = at
    return "".join([*out, original[last:]]), sites


def _fill(template: str, original: str, cut: Cut, site_id: str) -> str:
    if template.startswith("(!("):
        return f"(!({cut.what.of(original)}) && {OFF.format(site_id)}) || "
    return template.format(site_id) if "{}" in template else template
