"""The roles of people, and what each of them may do (pure)."""

from collections.abc import Mapping
from enum import StrEnum


class Right(StrEnum):
    """A right that a route asks for."""

    LOOK = "look"
    """Read numbers, states and published texts."""
    EDIT = "edit"
    """Decide about texts: hold, release, reject, edit, have one written anew."""
    PEOPLE = "people"
    """See and carry out what people of the register ask for: oppositions, erasures."""
    OPERATE = "operate"
    """Order, pause and repeat work; set the budget."""
    ADMINISTER = "administer"
    """End other people's sessions."""


RIGHTS: Mapping[str, frozenset[Right]] = {
    "reader": frozenset({Right.LOOK}),
    "editor": frozenset({Right.LOOK, Right.EDIT, Right.PEOPLE}),
    "operator": frozenset({Right.LOOK, Right.OPERATE}),
    "admin": frozenset(Right),
}
ROLE_NAMES: Mapping[str, str] = {
    "reader": "lecture",
    "editor": "rédaction",
    "operator": "exploitation",
    "admin": "administration",
}
