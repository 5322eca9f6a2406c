"""One whole number as Go's fmt.Sprintf prints it: what `withSequence.format` means.

Every verb, flag, width and precision that Go knows for an int; what Go does not know it writes into
the text (`%!s(int=7)`), and so does this. Argo hands the number over alone, so that a second verb
finds nothing (`%!d(MISSING)`) and none at all leaves it over (`%!(EXTRA int=7)`).
"""

import re

_VERB = re.compile(
    r"%(?P<flags>[-+ 0#]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?"
    r"(?:\[(?P<index>\d+)\])?(?P<verb>.?)",
    re.DOTALL,
)
_BASES = {"d": "d", "v": "d", "x": "x", "X": "X", "o": "o", "O": "o", "b": "b"}
_PREFIXES = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}
_LAST_CHARACTER = 0x10FFFF
_SHORT = {
    7: "\\a",
    8: "\\b",
    9: "\\t",
    10: "\\n",
    11: "\\v",
    12: "\\f",
    13: "\\r",
    39: "\\'",
    92: "\\\\",
}


def whole(style: str, number: int) -> str:
    """Print `number` as `style` says."""
    used = 0
    reordered = False

    def printed(match: re.Match[str]) -> str:
        nonlocal used, reordered
        verb = match["verb"]
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if match["index"]:
            reordered = True
            used = int(match["index"]) - 1
        if used:
            return f"%!{verb}({'BADINDEX' if match['index'] else 'MISSING'})"
        used = 1
        return _verb(match, verb, number)

    text = _VERB.sub(printed, style)
    return text if used or reordered else f"{text}%!(EXTRA int={number})"


def _verb(match: re.Match[str], verb: str, number: int) -> str:
    flags = match["flags"]
    if verb in _BASES:
        return _padded(_digits(match, verb, number), flags, match)
    if verb == "c":
        return _padded(_character(number), flags.replace("0", ""), match)
    if verb == "q":
        return _padded(_quoted(number), flags.replace("0", ""), match)
    if verb == "U":
        return _padded(f"U+{number % (1 << 64):04X}", flags.replace("0", ""), match)
    if verb == "T":
        return _padded("int", flags.replace("0", ""), match)
    return f"%!{verb}(int={_padded(_digits(match, 'd', number), flags, match)})"


def _digits(match: re.Match[str], verb: str, number: int) -> str:
    flags, precision = match["flags"], match["precision"]
    if precision is not None and not int(precision or 0) and not number:
        return ""
    digits = format(abs(number), _BASES[verb])
    sign = "-" if number < 0 else "+" if "+" in flags and verb != "v" else ""
    if not sign and " " in flags:
        sign = " "
    prefix = "0o" if verb == "O" else _PREFIXES.get(verb, "") if "#" in flags else ""
    if precision is not None:
        digits = digits.rjust(int(precision or 0), "0")
    elif "0" in flags and "-" not in flags and match["width"]:
        digits = digits.rjust(int(match["width"]) - len(sign), "0")
    return sign + prefix + digits


def _padded(text: str, flags: str, match: re.Match[str]) -> str:
    width = int(match["width"] or 0)
    return text.ljust(width) if "-" in flags else text.rjust(width)


def _character(number: int) -> str:
    sound = 0 <= number <= _LAST_CHARACTER and not 0xD800 <= number <= 0xDFFF  # noqa: PLR2004
    return chr(number) if sound else "\ufffd"


def _quoted(number: int) -> str:
    character = _character(number)
    if ord(character) in _SHORT:
        return f"'{_SHORT[ord(character)]}'"
    if character.isprintable():
        return f"'{character}'"
    code = ord(character)
    shown = f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"  # noqa: PLR2004
    return f"'{shown}'"
