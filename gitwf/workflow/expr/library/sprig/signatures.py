"""What the functions of sprig take, and what Go's reflection says of other arguments.

To expr-lang `sprig` is a map of anything, so that no compiler looks at these calls: they are made
by reflection, which has words of its own for a wrong argument, takes nil for the zero value of any
type, and knows no default. The types are those of sprig's Go functions
(expr-lang: vm/vm.go, OpCall; Go: reflect.Value.Call).
"""

from collections.abc import Mapping, Sequence

from gitwf.workflow.expr import errors, times, values

_MAP = "map[string]interface {}"
_ANY = "interface {}"
_MORE = "..."
_TAKES = {
    "": "hello now",
    "string": (
        "adler32sum atoi b32dec b32enc b64dec b64enc base camelcase clean dir ext fail fromJson "
        "initials isAbs kebabcase lower mustFromJson nospace osBase osClean osDir osExt osIsAbs "
        "regexQuoteMeta semver sha1sum sha256sum sha512sum snakecase swapcase title trim untitle "
        "upper urlParse"
    ),
    "string,string": (
        "contains hasPrefix hasSuffix mustRegexFind mustRegexMatch mustToDate regexFind regexMatch "
        "semverCompare split splitList toDate trimAll trimPrefix trimSuffix trimall"
    ),
    "string,string,string": (
        "mustRegexReplaceAll mustRegexReplaceAllLiteral regexReplaceAll regexReplaceAllLiteral "
        "replace"
    ),
    "string,string,int": "mustRegexFindAll mustRegexSplit plural regexFindAll regexSplit",
    f"string,{_ANY}": "date join kindIs typeIs typeIsLike",
    f"string,{_ANY},string": "dateInZone date_in_zone",
    "string,time.Time": "dateModify date_modify mustDateModify must_date_modify",
    "string,int,string": "splitn",
    f"string,{_MORE}{_MAP}": "pluck",
    "int": "until",
    "int,string": "abbrev indent nindent repeat trunc wrap",
    "int,int,string": "abbrevboth substr",
    "int,int,int": "untilStep",
    "int,string,string": "wrapWith",
    f"int,{_ANY}": "chunk mustChunk",
    f"{_MORE}int": "seq",
    "time.Time": "unixEpoch",
    _MAP: "urlJoin values",
    f"{_MAP},string": "get hasKey unset",
    f"{_MAP},string,{_ANY}": "set",
    f"{_MAP},{_MORE}string": "omit pick",
    f"{_MAP},{_MORE}{_MAP}": "merge mergeOverwrite mustMerge mustMergeOverwrite",
    f"{_MORE}{_MAP}": "keys",
    _ANY: (
        "add1 add1f ago ceil compact deepCopy duration durationRound empty first float64 floor "
        "htmlDate initial int int64 kindOf last mustCompact mustDeepCopy mustFirst mustInitial "
        "mustLast mustRest mustReverse mustToJson mustToPrettyJson mustToRawJson mustUniq rest "
        "reverse sortAlpha toDecimal toJson toPrettyJson toRawJson toString toStrings typeOf uniq"
    ),
    f"{_ANY},string": "htmlDateInZone",
    f"{_ANY},{_ANY}": (
        "append deepEqual div has mod mustAppend mustHas mustPrepend mustPush prepend push sub"
    ),
    f"{_ANY},{_ANY},bool": "ternary",
    f"{_ANY},int,{_MORE}float64": "round",
    f"{_ANY},{_MORE}{_ANY}": (
        "biggest default divf max maxf min minf mul mulf mustSlice mustWithout slice subf without"
    ),
    f"{_MORE}{_ANY}": "add addf all any cat coalesce concat dict dig list quote squote tuple",
}
TAKES: Mapping[str, tuple[str, ...]] = {
    name: tuple(filter(None, types.split(",")))
    for types, names in _TAKES.items()
    for name in names.split()
}
"""The Go types of what each function takes; one that begins with `...` stands for any number."""

_ZEROES: Mapping[str, object] = {
    "string": "", "int": 0, "float64": 0.0, "bool": False, "time.Time": times.ZERO, _MAP: {},
    _ANY: None,
}  # fmt: skip


def taken(types: tuple[str, ...], given: Sequence[object]) -> list[object]:
    """Give the arguments that a function of these types gets. Raises Fault as reflection panics."""
    arguments = list(given)
    for place in reversed(range(len(arguments))):
        if arguments[place] is None:
            arguments[place] = _zero(types, place)
    fixed, rest = types, ""
    if types and types[-1].startswith(_MORE):
        fixed, rest = types[:-1], types[-1].removeprefix(_MORE)
    if len(arguments) < len(fixed):
        raise errors.Fault("reflect: Call with too few input arguments")
    if len(arguments) > len(fixed) and not rest:
        raise errors.Fault("reflect: Call with too many input arguments")
    for wanted, value in zip(fixed, arguments, strict=False):
        if not _fits(value, wanted):
            raise errors.Fault(f"reflect: Call using {values.type_name(value)} as type {wanted}")
    for value in arguments[len(fixed) :]:
        if not _fits(value, rest):
            name = values.type_name(value)
            raise errors.Fault(f"reflect: cannot use {name} as type {rest} in Call")
    return arguments


def _zero(types: tuple[str, ...], place: int) -> object:
    if types and types[-1].startswith(_MORE):
        place = min(place, len(types) - 1)
    if place >= len(types):
        raise errors.Fault(f"runtime error: index out of range [{place}] with length {len(types)}")
    return _ZEROES[types[place].removeprefix(_MORE)]


def _fits(value: object, wanted: str) -> bool:
    return wanted == _ANY or values.type_name(value) == wanted
