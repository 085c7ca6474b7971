"""The parameters of a request: how each is read, and what the OpenAPI says of it."""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.portal.api.problems import invalid_parameters, problem
from shared.errors import SirenadeError

MOST_VALUES = 50
"""The values that a list may have."""
_MOST_SENT = 100
_SHOWN_CHARACTERS = 40
_NEAR = 0.6
_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,12})?")
# Names of other interfaces, each with ours.
_USUAL_NAMES = {
    "per_page": "par_page",
    "limit": "limite",
    "page": "curseur",
    "cursor": "curseur",
    "after": "depuis",
    "since": "depuis",
    "etat_administratif": "etat",
    "lon": "long",
    "lng": "long",
    "sort": "tri",
    "naf": "activite_principale",
    "ape": "activite_principale",
}


class InvalidValue(SirenadeError):
    """Raised when a value is none of its parameter's; the message says what is awaited."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a query. `several`: its values may also be sent one by one."""

    name: str
    description: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any]
    default: Any = None
    required: bool = False
    several: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """Return what the OpenAPI says of it."""
        return {
            "name": self.name,
            "in": "query",
            "description": self.description,
            "required": self.required,
            "schema": dict(self.schema),
            **self.more,
        }


def read(declared: Sequence[Parameter], sent: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the value of each declared parameter. Raises Problem for what cannot be read.

    An empty value counts as none.
    """
    known = {each.name: each for each in declared}
    given: dict[str, list[str]] = {}
    for number, (name, text) in enumerate(sent):
        if name not in known or number >= _MOST_SENT:
            raise problem("parametre-inconnu", _unknown(name, known))
        if text.strip():
            given.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, parameter in known.items():
        try:
            values[name] = _value(parameter, given.get(name, []))
        except InvalidValue as error:
            faults[name] = str(error)
    if faults:
        raise invalid_parameters(faults)
    for name, parameter in known.items():
        if parameter.required and values[name] in (None, ()):
            raise problem("parametre-manquant", f"{name} : ce paramètre est nécessaire")
    return values


def _value(parameter: Parameter, texts: list[str]) -> Any:
    if not texts:
        return parameter.default
    if len(texts) > 1 and not parameter.several:
        raise InvalidValue("une seule valeur est attendue")
    return parameter.read(",".join(texts))


def _unknown(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    usual = _USUAL_NAMES.get(name.lower())
    near = [usual] if usual in names else difflib.get_close_matches(name.lower(), names, 1, _NEAR)
    shown = name[:_SHOWN_CHARACTERS]
    if near:
        return f"{shown} : vouliez-vous dire {near[0]} ?"
    if not names:
        return f"{shown} : aucun paramètre n'est attendu"
    return f"{shown} : les paramètres sont {', '.join(names)}"


def text(
    name: str, description: str, *, longest: int, shortest: int = 1, required: bool = False
) -> Parameter:
    """Declare a text that people type; control characters count as spaces."""

    def read_text(sent: str) -> str | None:
        cleaned = " ".join("".join(c if c.isprintable() else " " for c in sent).split())
        if len(cleaned) > longest:
            raise InvalidValue(f"{longest} caractères au plus")
        if cleaned and len(cleaned) < shortest:
            raise InvalidValue(f"{shortest} caractères au moins")
        return cleaned or None

    schema = {"type": "string", "maxLength": longest, "minLength": shortest}
    return Parameter(name, description, schema, read_text, required=required)


def codes(  # noqa: PLR0913  a declaration
    name: str,
    description: str,
    pattern: str,
    example: str,
    *,
    normalised: Callable[[str], str] = str.upper,
    most: int = MOST_VALUES,
    required: bool = False,
) -> Parameter:
    """Declare a list of codes between commas; its value is a tuple, in the order of the request."""
    shape = re.compile(pattern)

    def read_codes(sent: str) -> tuple[str, ...]:
        found = [normalised(code.strip()) for code in sent.split(",") if code.strip()]
        if len(found) > most:
            raise InvalidValue(f"{_values(most)} au plus, il y en a {len(found)}")
        for number, code in enumerate(found, 1):
            if not shape.fullmatch(code):
                where = f" (valeur n° {number})" if len(found) > 1 else ""
                raise InvalidValue(f"un code comme {example} est attendu{where}")
        return tuple(dict.fromkeys(found))

    item = {"type": "string", "pattern": f"^({pattern})$"}
    if most == 1:
        one = {"example": example}
        return Parameter(name, description, item, read_codes, (), required, more=one)
    schema = {"type": "array", "items": item, "maxItems": most}
    style = {"style": "form", "explode": False, "example": [example]}
    return Parameter(name, description, schema, read_codes, (), required, several=True, more=style)


def _values(number: int) -> str:
    return "une valeur" if number == 1 else f"{number} valeurs"


def chosen(name: str, description: str, *values: str, default: str | None = None) -> Parameter:
    """Declare one of these values."""

    def read_choice(sent: str) -> str:
        if (found := sent.strip()) not in values:
            raise InvalidValue(f"{' ou '.join(values)} est attendu")
        return found

    schema = {"type": "string", "enum": list(values)}
    if default is not None:
        schema["default"] = default
    return Parameter(name, description, schema, read_choice, default)


def subset(name: str, description: str, *values: str) -> Parameter:
    """Declare a list of some of these values."""

    def read_subset(sent: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(each.strip() for each in sent.split(",") if each.strip()))
        if not set(found) <= set(values):
            raise InvalidValue(f"des valeurs parmi {', '.join(values)} sont attendues")
        return found

    schema = {"type": "array", "items": {"type": "string", "enum": list(values)}}
    style = {"style": "form", "explode": False}
    return Parameter(name, description, schema, read_subset, (), several=True, more=style)


def truth(name: str, description: str) -> Parameter:
    """Declare `true` or `false`."""

    def read_truth(sent: str) -> bool:
        found = {"true": True, "false": False}.get(sent.strip().lower())
        if found is None:
            raise InvalidValue("true ou false est attendu")
        return found

    return Parameter(name, description, {"type": "boolean"}, read_truth)


def whole(name: str, description: str, low: int, high: int, *, default: int) -> Parameter:
    """Declare a whole number within these bounds, both included."""

    def read_whole(sent: str) -> int:
        found = int(sent) if _WHOLE.fullmatch(sent.strip()) else low - 1
        if not low <= found <= high:
            raise InvalidValue(f"un nombre entier de {low} à {high} est attendu")
        return found

    schema = {"type": "integer", "minimum": low, "maximum": high, "default": default}
    return Parameter(name, description, schema, read_whole, default)


def decimal(name: str, description: str, low: float, high: float) -> Parameter:
    """Declare a number within these bounds, both included."""

    def read_decimal(sent: str) -> float:
        found = float(sent) if _DECIMAL.fullmatch(sent.strip()) else math.nan
        if not low <= found <= high:
            raise InvalidValue(f"un nombre de {low:g} à {high:g} est attendu")
        return found

    schema = {"type": "number", "minimum": low, "maximum": high}
    return Parameter(name, description, schema, read_decimal)


def cursor(name: str = "curseur") -> Parameter:
    """Declare the cursor of an answer, which the next request sends back as it is."""

    def read_cursor(sent: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,400}", found := sent.strip()):
            raise InvalidValue("le curseur d'une réponse est attendu, tel quel")
        return found

    description = "Le curseur de la réponse précédente, tel quel ; sans lui, le début."
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,400}$"}
    return Parameter(name, description, schema, read_cursor)
