"""The French words of the reason codes of texts: the fault, and what a model is told to do."""

import functools
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

_BEFORE_REMEDY = " : "


def remedies_file() -> str:
    """Return the lines « code|fault : remedy »."""
    return (resources.files("shared.texts") / "remedes.txt").read_text("utf-8")


@functools.cache
def remedies() -> Mapping[str, str]:
    """Return by code the fault with its remedy."""
    rows = (line.split("|") for line in remedies_file().splitlines() if not line.startswith("#"))
    return MappingProxyType({row[0]: row[1] for row in rows})


def fault_of(code: str) -> str | None:
    """Return the fault that a code stands for, as a French sentence; None for an unknown code."""
    remedy = remedies().get(code)
    return None if remedy is None else f"{remedy.partition(_BEFORE_REMEDY)[0]}."
