"""A node's secrets: made once at bootstrapping, kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer

_BYTES = 24


def _fresh() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(_BYTES))


class _Secrets(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_serializer("*", when_used="json")
    def _reveal(self, value: object) -> object:
        return value.get_secret_value() if isinstance(value, SecretStr) else value


class RpcPasswords(_Secrets):
    """Passwords of a node's RPC users."""

    bridge: SecretStr
    reader: SecretStr
    operator: SecretStr
    maintainer: SecretStr = Field(default_factory=_fresh)


class DoorTokens(_Secrets):
    """Bearer tokens of a bridge's HTTP door, one per kind of caller."""

    agent: SecretStr
    reader: SecretStr
    operator: SecretStr


class Credentials(_Secrets):
    """All secrets of one node and its bridge. Its repr shows none; its JSON shows all."""

    passwords: RpcPasswords
    tokens: DoorTokens
    py4j_token: SecretStr

    @classmethod
    def make(cls) -> Credentials:
        """New random secrets of 192 bits each."""
        return cls(
            passwords=RpcPasswords(bridge=_fresh(), reader=_fresh(), operator=_fresh()),
            tokens=DoorTokens(agent=_fresh(), reader=_fresh(), operator=_fresh()),
            py4j_token=_fresh(),
        )

    @classmethod
    def kept_in(cls, path: Path) -> Credentials:
        """The secrets in `path`, made and written there when the file, or one of them, does not exist."""
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        kept = cls.model_validate_json(text) if text else cls.make()
        if (whole := kept.model_dump_json(indent=2)) != text:
            write_private(path, whole)
        return kept


def write_private(path: Path, text: str) -> None:
    """Write `text` for its owner's eyes (0600), whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    # The mode is given at creation: a file that is open to all for a moment has been open.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
