"""Bearer tokens are read from files that only their owner can read (law 11)."""

import stat
from pathlib import Path

from ippon.errors import BadSettings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Token:
    """A secret that shows itself to nobody who prints it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def reveal(self) -> str:
        """The secret itself, for the door only."""
        return self._secret

    def __repr__(self) -> str:
        return "Token(…)"


def read_token(path: Path) -> Token:
    """The token in a file; BadSettings if it is missing, empty or readable by others."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadSettings(f"The token file {path} cannot be read: {type(problem).__name__}") from problem
    if mode & _OTHERS:
        raise BadSettings(f"The token file {path} must be readable by its owner only: chmod 600 {path}")
    if not text or not text.isascii() or any(character.isspace() for character in text):
        raise BadSettings(f"The token file {path} must hold one token and nothing else.")
    return Token(text)
