"""What stands for one character in a regular expression: itself, a dot, an escape or a class.

`Reader` is the lower half of the parser: it knows where in the text it is, which flags hold there,
and how to read one set of characters. Read next: `regexes`, which makes programs of them.
"""

import re

from gitwf.workflow.expr import charsets, errors

_CONTROL = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CATEGORY = re.compile(r"L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?|C[cfos]?")
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_HEXADECIMAL = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})")
_CLASS = re.compile(r"[pP](?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))")
_POSIX = re.compile(r"\[:(\^?)([^:\]]*):\]")


def fail(message: str, part: str) -> errors.Fault:
    """Word an error as Go's regexp package does."""
    return errors.Fault(f"error parsing regexp: {message}: `{part}`")


class Reader:
    """A place in the text of a regular expression. Raises Fault for what is none."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.flags: frozenset[str] = frozenset()

    def peek(self) -> str:
        """The character here, "" at the end."""
        return self.source[self.at : self.at + 1]

    def exactly(self, character: str) -> charsets.CharacterSet:
        """The set of this character alone, under the flags here."""
        allowed = charsets.CharacterSet(fold="i" in self.flags)
        allowed.add(((ord(character), ord(character)),))
        return allowed

    def single(self, character: str) -> charsets.CharacterSet:
        """Read what stands for one character: a class, an escape, a dot or itself."""
        if character == "[":
            return self._bracketed()
        if character == ".":
            self.at += 1
            allowed = charsets.CharacterSet(negated=True)
            if "s" not in self.flags:
                allowed.add(((10, 10),))
            return allowed
        if character == "\\":
            allowed = charsets.CharacterSet(fold="i" in self.flags)
            code = self._escape(allowed)
            if code is not None:
                allowed.add(((code, code),))
            return allowed
        self.at += 1
        return self.exactly(character)

    def _escape(self, allowed: charsets.CharacterSet) -> int | None:
        """Read an escape: put a class into `allowed`, or give the character's code."""
        start = self.at
        kind = self.source[start + 1 : start + 2]
        self.at += 2
        if kind == "":
            raise fail("trailing backslash at end of expression", "")
        if kind.lower() in charsets.PERL:
            allowed.add(charsets.PERL[kind.lower()], negated=kind.isupper())
            return None
        if kind in "pP":
            self._category(allowed, start)
            return None
        if kind in _CONTROL:
            return ord(_CONTROL[kind])
        if kind == "x":
            return self._hexadecimal(start)
        octal = _OCTAL.match(self.source, start + 1)
        if octal:
            self.at = octal.end()
            return int(octal.group(), 8)
        if kind.isascii() and not kind.isalnum():
            return ord(kind)
        raise fail("invalid escape sequence", f"\\{kind}")

    def _hexadecimal(self, start: int) -> int:
        match = _HEXADECIMAL.match(self.source, start + 1)
        code = int(match.group(1) or match.group(2), 16) if match else charsets.TOP + 1
        if match is None or code > charsets.TOP:
            raise fail("invalid escape sequence", self.source[start : start + 4])
        self.at = match.end()
        return code

    def _category(self, allowed: charsets.CharacterSet, start: int) -> None:
        match = _CLASS.match(self.source, start + 1)
        name = (match.group(2) or match.group(3)) if match else ""
        if match is None or (name != "Any" and not _CATEGORY.fullmatch(name)):
            shown = match.group() if match else self.source[start + 1 : start + 2]
            raise fail("invalid character class range", f"\\{shown}")
        negated = (self.source[start + 1] == "P") is not bool(match.group(1))
        allowed.parts.append(("" if name == "Any" else name, negated))
        self.at = match.end()

    def _bracketed(self) -> charsets.CharacterSet:
        start = self.at
        self.at += 1
        allowed = charsets.CharacterSet(fold="i" in self.flags)
        if self.peek() == "^":
            allowed.negated = True
            self.at += 1
        first = True
        while first or self.peek() != "]":
            first = False
            if not self.peek():
                raise fail("missing closing ]", self.source[start:])
            self._member(allowed)
        self.at += 1
        return allowed

    def _member(self, allowed: charsets.CharacterSet) -> None:
        """Read one entry of a bracketed class: a named class, a character or a range."""
        named = _POSIX.match(self.source, self.at)
        if named:
            if named.group(2) not in charsets.POSIX:
                raise fail("invalid character class range", named.group())
            allowed.add(charsets.POSIX[named.group(2)], negated=bool(named.group(1)))
            self.at = named.end()
            return
        place = self.at
        low = self._code(allowed)
        if low is None:
            return
        high: int | None = low
        if self.peek() == "-" and self.source[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            high = self._code(allowed)
        if high is None or high < low:
            raise fail("invalid character class range", self.source[place : self.at])
        allowed.add(((low, high),))

    def _code(self, allowed: charsets.CharacterSet) -> int | None:
        if self.peek() == "\\":
            return self._escape(allowed)
        self.at += 1
        return ord(self.source[self.at - 1])
