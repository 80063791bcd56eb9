"""TOML has no null: in our files an option that is none is the string "none"."""

from typing import Any


def without_none(value: Any) -> Any:
    """Return a tree with every None replaced, ready to be written."""
    if isinstance(value, dict):
        return {k: without_none(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_none(v) for v in value]
    return "none" if value is None else value


def with_none(value: Any) -> Any:
    """Return a tree as it was before :func:`without_none`."""
    if isinstance(value, dict):
        return {k: with_none(v) for k, v in value.items()}
    if isinstance(value, list):
        return [with_none(v) for v in value]
    return None if value == "none" else value
