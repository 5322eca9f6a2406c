"""Builtins on strings. Positions count bytes, as Go's do; `len` alone counts characters.

The subject comes first (`trim(text, cut)`); sprig's functions of like names have it last. Case
changes character by character, and whatever makes a text or an array longer than its arguments pays
for it from the budget. Read next: `sprig.texts` for the other half.
"""

from collections.abc import Callable

from gitwf.workflow.expr import characters, errors, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context

Context = context.Context


def _trim(_context: Context, value: object, cut: object = None) -> object:
    cutset = characters.SPACES if cut is None else args.text(cut, "trim")
    text = args.text(value, "trim")
    return text.strip(cutset) if cutset else text


def _trim_prefix(_context: Context, value: object, prefix: object = " ") -> object:
    return args.text(value, "trimPrefix").removeprefix(args.text(prefix, "trimPrefix"))


def _trim_suffix(_context: Context, value: object, suffix: object = " ") -> object:
    return args.text(value, "trimSuffix").removesuffix(args.text(suffix, "trimSuffix"))


def _upper(_context: Context, value: object) -> object:
    # Go maps character by character, so ß stays ß.
    return "".join(each_case(c, str.upper) for c in args.text(value, "upper"))


def _lower(_context: Context, value: object) -> object:
    return "".join(each_case(c, str.lower) for c in args.text(value, "lower"))


def each_case(character: str, change: Callable[[str], str]) -> str:
    """Change the case of one character, unless it would become several."""
    changed = change(character)
    return changed if len(changed) == 1 else character


def pieces(text: str, separator: str, limit: int, *, keep: bool) -> list[str]:
    """Split as Go's SplitN and SplitAfterN do; a negative limit is none, zero gives nothing."""
    if limit == 0:
        return []
    if separator == "":
        parts = list(text) if limit < 0 else [*text[: limit - 1], text[limit - 1 :]]
        return [part for part in parts if part]
    parts = text.split(separator, limit - 1 if limit > 0 else -1)
    return [part + separator for part in parts[:-1]] + parts[-1:] if keep else parts


def _splitter(name: str, *, keep: bool) -> Callable[..., object]:
    def apply(context: Context, value: object, separator: object, limit: object = -1) -> object:
        text = args.text(value, name)
        most = args.index(limit, name)
        parts = pieces(text, args.text(separator, name), most, keep=keep)
        context.cost.collect(len(parts))
        context.cost.write(len(text))
        return parts

    return apply


def _replace(
    context: Context, value: object, old: object, new: object, limit: object = -1
) -> object:
    text, former, latter = (args.text(each, "replace") for each in (value, old, new))
    most = args.index(limit, "replace")
    return replaced(context, text, former, latter, most)


def replaced(context: Context, text: str, old: str, new: str, limit: int = -1) -> str:
    """Replace up to `limit` occurrences (all when negative), paying for the result first."""
    count = text.count(old)
    if limit >= 0:
        count = min(count, limit)
    context.cost.write(len(text) + count * len(new))
    return text.replace(old, new, count)


def _repeat(context: Context, value: object, count: object) -> object:
    text, times = args.text(value, "repeat"), args.index(count, "repeat")
    if times < 0:
        message = f"invalid argument for repeat (expected positive integer, got {times})"
        raise errors.Fault(message)
    return repeated(context, text, times)


def repeated(context: Context, text: str, times: int) -> str:
    """Repeat a text, paying for the result first."""
    if times > 1_000_000:  # noqa: PLR2004
        raise errors.Fault("memory budget exceeded")
    context.cost.write(len(text) * times)
    return text * times


def _join(context: Context, value: object, glue: object = "") -> object:
    if not values.is_list(value):
        raise errors.Fault(f"invalid argument for join (type {values.type_name(value)})")
    parts: list[str] = []
    for part in value:
        context.cost.step()
        parts.append(args.text(part, "join"))
    between = args.text(glue, "join")
    context.cost.write(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


def _index_of(_context: Context, value: object, part: object) -> object:
    name = "indexOf"
    return values.octets(args.text(value, name)).find(values.octets(args.text(part, name)))


def _last_index_of(_context: Context, value: object, part: object) -> object:
    name = "lastIndexOf"
    return values.octets(args.text(value, name)).rfind(values.octets(args.text(part, name)))


def _has_prefix(_context: Context, value: object, prefix: object) -> object:
    return args.text(value, "hasPrefix").startswith(args.text(prefix, "hasPrefix"))


def _has_suffix(_context: Context, value: object, suffix: object) -> object:
    return args.text(value, "hasSuffix").endswith(args.text(suffix, "hasSuffix"))


FUNCTIONS = context.table(
    ("trim", _trim, 1, 2),
    ("trimPrefix", _trim_prefix, 1, 2),
    ("trimSuffix", _trim_suffix, 1, 2),
    ("upper", _upper, 1, 1),
    ("lower", _lower, 1, 1),
    ("split", _splitter("split", keep=False), 2, 3),
    ("splitAfter", _splitter("splitAfter", keep=True), 2, 3),
    ("replace", _replace, 3, 4),
    ("repeat", _repeat, 2, 2),
    ("join", _join, 1, 2),
    ("indexOf", _index_of, 2, 2),
    ("lastIndexOf", _last_index_of, 2, 2),
    ("hasPrefix", _has_prefix, 2, 2),
    ("hasSuffix", _has_suffix, 2, 2),
)
"""The string builtins by name."""
