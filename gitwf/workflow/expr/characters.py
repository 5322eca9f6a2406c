"""Character classes as Go's unicode package has them, which Python's own differ from a little.

The lexer and the library ask here, so that a name ends and a text is trimmed where Go would end and
trim it. Only the classes that something asks for are here; those of regular expressions are tables
of their own, in `charsets`.
"""

from typing import Final

SPACES: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What unicode.IsSpace accepts; Python's isspace takes the separators U+001C to U+001F too."""


def is_letter(character: str) -> bool:
    """Say whether a character is of a letter category."""
    return character.isalpha()


def is_digit(character: str) -> bool:
    """Say whether a character is a decimal digit of any script."""
    return character.isdecimal()
