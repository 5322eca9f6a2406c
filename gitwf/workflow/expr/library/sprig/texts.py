"""Sprig's texts: trimming, cutting, case, quoting, indenting, and regular expressions.

The subject comes last (`sprig.trimSuffix(".csv", name)`), unlike in the language's own functions.
Patterns are Go's, matched by `patterns` in bounded time, and a result longer than its arguments is
paid for from the budget before it is made. Read next: `library.texts`.
"""

import re
from collections.abc import Callable

from gitwf.workflow.expr import characters, errors, operators, patterns, printing, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context
from gitwf.workflow.expr.library import texts as builtin
from gitwf.workflow.expr.library.sprig import cases, casts

Context = context.Context


def _of_text(change: Callable[[str], object]) -> Callable[..., object]:
    return lambda _given, text: change(text)


def _of_two(change: Callable[[str, str], object]) -> Callable[..., object]:
    return lambda _given, first, second: change(first, second)


def _cased(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "".join(builtin.each_case(each, change) for each in text)


def _first_letters(change: Callable[[str], str]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        begun = re.sub(r"[^\w']", " ", " " + text)
        return "".join(
            builtin.each_case(each, change) if begun[place] == " " else each
            for place, each in enumerate(text)
        )

    return apply


def _swapped(text: str) -> str:
    made, blank = [], True
    for each in text:
        if each.isupper() or each.istitle():
            made.append(builtin.each_case(each, str.lower))
        elif each.islower():
            made.append(builtin.each_case(each, str.title if blank else str.upper))
        else:
            made.append(each)
        blank = each in characters.SPACES
    return "".join(made)


def _trunc(given: Context, count: object, text: object) -> object:
    width, subject = args.whole(count, "trunc"), args.text(text, "trunc")
    size = len(values.octets(subject))
    if width < 0:
        kept = operators.cut(subject, size + width, None, given.cost)
        return kept if size + width > 0 else subject
    return operators.cut(subject, 0, width, given.cost)


def _substr(given: Context, start: object, stop: object, text: object) -> object:
    low, high = args.whole(start, "substr"), args.whole(stop, "substr")
    subject = args.text(text, "substr")
    size = len(values.octets(subject))
    bound = None if high < 0 or high > size else high
    return operators.cut(subject, max(low, 0), bound, given.cost)


def _abbrev(_given: Context, width: object, text: object) -> object:
    size, subject = args.whole(width, "abbrev"), args.text(text, "abbrev")
    if size < 4 or len(subject) <= size:  # noqa: PLR2004
        return subject
    return subject[: size - 3] + "..."


def _repeat(given: Context, count: object, text: object) -> object:
    times = max(0, args.whole(count, "repeat"))
    return builtin.repeated(given, args.text(text, "repeat"), times)


def _replace(given: Context, old: object, new: object, text: object) -> object:
    former, latter, subject = (args.text(each, "replace") for each in (old, new, text))
    return builtin.replaced(given, subject, former, latter)


def _indent(given: Context, width: object, text: object) -> object:
    pad = builtin.repeated(given, " ", max(0, args.whole(width, "indent")))
    return pad + builtin.replaced(given, args.text(text, "indent"), "\n", "\n" + pad)


def _nindent(given: Context, width: object, text: object) -> object:
    return f"\n{_indent(given, width, text)}"


def _quote(given: Context, *parts: object) -> object:
    shown = [casts.to_text(given, part) for part in parts if part is not None]
    return " ".join(printing.go_quoted(text) for text in shown)


def _squote(given: Context, *parts: object) -> object:
    return " ".join(f"'{casts.to_text(given, part)}'" for part in parts if part is not None)


def _cat(given: Context, *parts: object) -> object:
    return " ".join(casts.to_text(given, part) for part in parts if part is not None)


def _plural(_given: Context, one: object, many: object, count: object) -> object:
    return args.text(one if count == 1 else many, "plural")


def _split_list(given: Context, separator: object, text: object) -> object:
    subject = args.text(text, "splitList")
    given.cost.write(len(subject))
    parts = builtin.pieces(subject, args.text(separator, "splitList"), -1, keep=False)
    given.cost.collect(len(parts))
    return parts


def _split(given: Context, separator: object, text: object) -> object:
    parts = _split_list(given, separator, text)
    return {f"_{place}": part for place, part in enumerate(parts if values.is_list(parts) else ())}


def _splitn(given: Context, separator: object, count: object, text: object) -> object:
    subject, limit = args.text(text, "splitn"), args.whole(count, "splitn")
    parts = builtin.pieces(subject, args.text(separator, "splitn"), limit, keep=False)
    given.cost.collect(len(parts))
    return {f"_{place}": part for place, part in enumerate(parts)}


def _join(given: Context, separator: object, parts: object) -> object:
    listed = parts if values.is_list(parts) else [parts]
    shown = [casts.to_text(given, part) for part in listed if part is not None]
    glue = args.text(separator, "join")
    given.cost.write(sum(map(len, shown)) + len(glue) * len(shown))
    return glue.join(shown)


def _matching(
    work: Callable[[Context, patterns.Pattern, str], object],
) -> Callable[..., object]:
    def apply(given: Context, pattern: object, text: object) -> object:
        compiled = patterns.compiled(args.text(pattern, "regexMatch"))
        return work(given, compiled, args.text(text, "regexMatch"))

    return apply


def _is_match(given: Context, pattern: patterns.Pattern, text: str) -> object:
    return pattern.search(text, given.cost) is not None


def _lenient_match(given: Context, pattern: object, text: object) -> object:
    """Match, where a pattern that cannot be read matches nothing."""
    try:
        compiled = patterns.compiled(args.text(pattern, "regexMatch"))
    except errors.Fault:
        return False
    return _is_match(given, compiled, args.text(text, "regexMatch"))


def _find(given: Context, pattern: patterns.Pattern, text: str) -> object:
    found = pattern.search(text, given.cost)
    return text[found[0] : found[1]] if found else ""


def _find_all(given: Context, pattern: object, text: object, count: object) -> object:
    compiled, subject = patterns.compiled(args.text(pattern, "regexFindAll")), str(text)
    limit = args.whole(count, "regexFindAll")
    return [subject[one[0] : one[1]] for one in compiled.matches(subject, given.cost, limit)]


def _regex_split(given: Context, pattern: object, text: object, count: object) -> object:
    compiled, subject = patterns.compiled(args.text(pattern, "regexSplit")), str(text)
    limit = args.whole(count, "regexSplit")
    if limit == 0:
        return []
    parts: list[object] = []
    start = last = 0
    for found in compiled.matches(subject, given.cost):
        if len(parts) == limit - 1:
            break
        if found[1] == 0 and subject:
            continue
        last = found[0]
        parts.append(subject[start:last])
        start = found[1]
    # An empty match at the very end cuts nothing more off.
    return parts if subject and start == last == len(subject) else [*parts, subject[start:]]


def _substituted(*, literal: bool) -> Callable[..., object]:
    def apply(given: Context, pattern: object, text: object, template: object) -> object:
        compiled = patterns.compiled(args.text(pattern, "regexReplaceAll"))
        subject, new = args.text(text, "regexReplaceAll"), args.text(template, "regexReplaceAll")
        parts, start = [], 0
        for found in compiled.matches(subject, given.cost):
            filled = new if literal else _expanded(new, subject, compiled, found)
            given.cost.write(found[0] - start + len(filled))
            parts += [subject[start : found[0]], filled]
            start = found[1]
        return "".join([*parts, subject[start:]])

    return apply


def _expanded(template: str, text: str, pattern: patterns.Pattern, found: patterns.Slots) -> str:
    """Fill `$1`, `${name}` and `$$` in a template, a missing group with nothing."""

    def fill(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        if name is None:
            return "$"
        short = name.isdigit() and len(name) < 5  # noqa: PLR2004
        number = int(name) if short else pattern.names.get(name, -1)
        if not 0 <= number <= pattern.groups or found[2 * number] < 0:
            return ""
        return text[found[2 * number] : found[2 * number + 1]]

    return re.sub(r"\$(?:\{(\w+)\}|(\w+)|\$)", fill, template, flags=re.ASCII)


def _fail(given: Context, message: object) -> object:
    raise errors.Fault(casts.to_text(given, message))


_TEXTS: context.Bodies = {
    "trim": _of_text(lambda text: text.strip(characters.SPACES)),
    "upper": _of_text(_cased(str.upper)),
    "lower": _of_text(_cased(str.lower)),
    "title": _of_text(_first_letters(str.title)),
    "untitle": _of_text(_first_letters(str.lower)),
    "swapcase": _of_text(_swapped),
    "nospace": _of_text(lambda text: re.sub(r"\s", "", text)),
    "initials": _of_text(lambda text: "".join(word[0] for word in text.split())),
    "snakecase": _of_text(lambda text: cases.joined(text, "_")),
    "kebabcase": _of_text(lambda text: cases.joined(text, "-")),
    "camelcase": _of_text(cases.camel),
    "regexQuoteMeta": _of_text(lambda text: re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)),
    "trimAll": _of_two(lambda cut, text: text.strip(cut) if cut else text),
    "trimall": _of_two(lambda cut, text: text.strip(cut) if cut else text),
    "trimSuffix": _of_two(lambda suffix, text: text.removesuffix(suffix)),
    "trimPrefix": _of_two(lambda prefix, text: text.removeprefix(prefix)),
    "contains": _of_two(lambda part, text: part in text),
    "hasPrefix": _of_two(lambda prefix, text: text.startswith(prefix)),
    "hasSuffix": _of_two(lambda suffix, text: text.endswith(suffix)),
}
FUNCTIONS: context.Bodies = {
    **_TEXTS,
    "trunc": _trunc,
    "substr": _substr,
    "abbrev": _abbrev,
    "repeat": _repeat,
    "replace": _replace,
    "indent": _indent,
    "nindent": _nindent,
    "quote": _quote,
    "squote": _squote,
    "cat": _cat,
    "plural": _plural,
    "split": _split,
    "splitn": _splitn,
    "splitList": _split_list,
    "join": _join,
    "regexMatch": _lenient_match,
    "mustRegexMatch": _matching(_is_match),
    "regexFind": _matching(_find),
    "mustRegexFind": _matching(_find),
    "regexFindAll": _find_all,
    "mustRegexFindAll": _find_all,
    "regexSplit": _regex_split,
    "mustRegexSplit": _regex_split,
    "regexReplaceAll": _substituted(literal=False),
    "mustRegexReplaceAll": _substituted(literal=False),
    "regexReplaceAllLiteral": _substituted(literal=True),
    "mustRegexReplaceAllLiteral": _substituted(literal=True),
    "fail": _fail,
}
"""The text functions by name."""
