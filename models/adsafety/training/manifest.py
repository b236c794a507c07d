"""Writes `version.toml`. Small on purpose: it knows the order and the look of the manifest, not where its numbers come from."""

import hashlib
from pathlib import Path

Value = str | bool | int | float | list | dict


def text_of(manifest: dict[str, Value]) -> str:
    """The manifest as TOML: plain keys first, then a table a section; `golden.cases` a case a line."""
    lines = [f"{key} = {_value(value)}" for key, value in manifest.items() if not isinstance(value, dict)]
    for name, table in manifest.items():
        if isinstance(table, dict):
            lines += _table(name, table)
    return "\n".join(lines) + "\n"


def _table(name: str, table: dict) -> list[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = ["", f"[{name}]"] if len(inner) < len(table) or not table else []
    for key, value in table.items():
        if key in inner:
            continue
        if key == "cases":
            lines += ["cases = [", *(f"  {_value(case, inline=True)}," for case in value), "]"]
        else:
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in inner.items():
        lines += _table(f"{name}.{_key(key)}", value)
    return lines


def _key(key: str) -> str:
    plain = all(c.isalnum() or c in "_-" for c in key)
    return key if plain else f'"{key}"'


def _value(value: Value, inline: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v, inline)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(v, inline) for v in value) + "]"
    if isinstance(value, float):
        return repr(value)
    return str(value)


def hashes_of(directory: Path) -> dict[str, str]:
    """SHA-256 in hexadecimal of every file of a version but the manifest, by its path inside."""
    files = sorted(f for f in directory.rglob("*") if f.is_file() and f.name != "version.toml")
    return {f.relative_to(directory).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
