"""Entry point of `gitwf`, `kubectl gitwf` and `python -m gitwf`.

It imports the command line and nothing else, so that start-up cost stays in one place:
`gitwf.cli` loads each group of commands only when it is asked for.
"""

from gitwf.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
