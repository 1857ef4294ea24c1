"""Files that a scenario refers to: read once when the scenario is loaded, and from then on part of it."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationInfo, model_validator
from pydantic_core import CoreSchema

from satqkd.scenario.units import problem

__all__ = ["BUNDLED", "EmbeddedFile"]

BUNDLED = "bundled:"
"""Prefix of the path of a file that comes with the package."""


class EmbeddedFile(BaseModel):
    """A text file named in a scenario, with its content, so that a scenario is complete in itself.

    In TOML it is just a path, relative to the scenario file, or ``bundled:NAME`` for a file of this package.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    text: str
    sha256: str

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        if value.startswith(BUNDLED):
            source = resources.files("satqkd.scenario") / "presets" / value.removeprefix(BUNDLED)
        else:
            source = Path((info.context or {}).get("folder", ".")) / value
        try:
            text = source.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = "is not a UTF-8 text file" if isinstance(error, UnicodeDecodeError) else "cannot be read"
            detail = getattr(error, "strerror", None)
            raise problem(f'file "{value}" {reason}' + (f": {detail}" if detail else "")) from None
        return {"path": value, "text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """JSON schema: a path, as in TOML, or the file itself, as in a saved scenario."""
        embedded = handler.resolve_ref_schema(handler(schema))
        path = {"type": "string", "description": f"path relative to the scenario file, or {BUNDLED}NAME"}
        return {"anyOf": [path, embedded]}

    @model_validator(mode="after")
    def _check(self) -> EmbeddedFile:
        if hashlib.sha256(self.text.encode()).hexdigest() != self.sha256:
            raise problem(f'"{self.path}": content and sha256 differ')
        return self
