"""The options that several commands share, and the scope that they name."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from typer import Option

Plan = Annotated[bool, Option("--plan", help="Only count, and print the cost; needs the API key.")]
Wait = Annotated[bool, Option(help="Show the progress until the run is complete.")]
_Codes = list[str] | None


@dataclass(frozen=True, kw_only=True)
class ScopeOptions:
    """A scope as a person names it."""

    region: Annotated[
        _Codes, Option(help="Code or name of a region: 53, Bretagne. Repeatable.")
    ] = None
    departement: Annotated[
        _Codes, Option(help="Code of a département: 33, 2A, 974. Repeatable.")
    ] = None
    commune: Annotated[_Codes, Option(help="INSEE code of a commune: 33063. Repeatable.")] = None
    activite: Annotated[
        _Codes, Option(help="Current activity, a NAF code: 47.11D. Repeatable.")
    ] = None
    etat: Annotated[str | None, Option(help="Current state: A for open, F for closed.")] = None
    siret_from: Annotated[str | None, Option(help="First SIRET of a range, itself included.")] = (
        None
    )
    siret_to: Annotated[str | None, Option(help="Last SIRET of a range, itself included.")] = None
    everything: Annotated[
        bool, Option("--all", help="The whole register; name no place with it.")
    ] = False


def with_scope_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a scope, in place of its first argument `named`."""
    signature = inspect.signature(command)
    scope = inspect.signature(ScopeOptions).parameters
    own = [each for name, each in signature.parameters.items() if name != "named"]

    @functools.wraps(command)
    def with_options(**values: object) -> None:
        named = {name: values.pop(name) for name in scope}
        command(ScopeOptions(**named), **values)  # type: ignore[arg-type]  # typer has checked them

    parameters = [*scope.values(), *own]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_options
