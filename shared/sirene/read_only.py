"""Dataclasses of which a stored row costs one or two. Pure."""

import dataclasses
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def read_only(cls: type[T]) -> type[T]:
    """Make a dataclass that mypy keeps from changes; to guard itself would take as long again."""
    return dataclasses.dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
