"""What goes wrong inside `when`, before it is known which sentence Argo wraps around it."""


class Fault(Exception):
    """A rule of the language was broken; never leaves the package."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
