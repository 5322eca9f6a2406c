"""Sprig's lines: a text wrapped at blanks, or cut at both ends.

As Masterminds/goutils does it, which counts bytes; `wrap` lets a long word stand, `wrapWith` cuts
it. A text cut in the middle of a character has none there, as where the language itself cuts.
"""

from gitwf.workflow.expr import values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context

_SHORTEST, _SHORTEST_INSIDE = 4, 7


def _wrapped(given: context.Context, width: int, newline: str, text: str, *, cutting: bool) -> str:
    raw, size = values.octets(text), max(1, width)
    lines, start = [], 0
    while len(raw) - start > size:
        if raw[start : start + 1] == b" ":
            start += 1
            continue
        given.cost.step()
        end, after = raw.rfind(b" ", start, start + size + 1), 1
        if end < 0 and cutting:
            end, after = start + size, 0
        elif end < 0 and (end := raw.find(b" ", start + size)) < 0:
            break
        lines.append(raw[start:end])
        start = end + after
    given.cost.write(len(raw) + len(newline) * len(lines))
    lines.append(raw[start:])
    return newline.join(line.decode("utf-8", "replace") for line in lines)


def _wrap(given: context.Context, width: object, text: object) -> object:
    return _wrapped(given, args.whole(width, "wrap"), "\n", args.text(text, "wrap"), cutting=False)


def _wrap_with(given: context.Context, width: object, newline: object, text: object) -> object:
    between = args.text(newline, "wrapWith") or "\n"
    size, subject = args.whole(width, "wrapWith"), args.text(text, "wrapWith")
    return _wrapped(given, size, between, subject, cutting=True)


def _abbrev_both(_given: context.Context, left: object, right: object, text: object) -> object:
    """Show up to `right` characters from about `left` on, dots where something is left out."""
    offset, width = args.whole(left, "abbrevboth"), args.whole(right, "abbrevboth")
    subject = args.text(text, "abbrevboth")
    if width < _SHORTEST or (offset > 0 and width < _SHORTEST_INSIDE) or len(subject) <= width:
        return subject
    offset = min(offset, len(subject))
    if len(subject) - offset < width - 3:
        offset = len(subject) - (width - 3)
    if offset <= _SHORTEST:
        return subject[: width - 3] + "..."
    if offset + width - 3 < len(subject):
        return "..." + subject[offset : offset + width - 6] + "..."
    return "..." + subject[len(subject) - (width - 3) :]


FUNCTIONS: context.Bodies = {
    "wrap": _wrap,
    "wrapWith": _wrap_with,
    "abbrevboth": _abbrev_both,
}
"""The functions of lines by name."""
