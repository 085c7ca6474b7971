"""The options that name a scope, alike in every command that takes one."""

from typing import Annotated

import typer

Regions = Annotated[
    list[str] | None, typer.Option(help="Code or name of a region: 53, Bretagne. Repeatable.")
]
Departements = Annotated[
    list[str] | None, typer.Option(help="Code of a département: 33, 2A, 974. Repeatable.")
]
Communes = Annotated[
    list[str] | None, typer.Option(help="INSEE code of a commune: 33063. Repeatable.")
]
Activites = Annotated[
    list[str] | None, typer.Option(help="Current activity, a NAF code: 47.11D. Repeatable.")
]
Etat = Annotated[str | None, typer.Option(help="Current state: A for open, F for closed.")]
SiretFrom = Annotated[str | None, typer.Option(help="From this SIRET on, itself included.")]
SiretTo = Annotated[str | None, typer.Option(help="Up to this SIRET, itself included.")]
Everything = Annotated[
    bool, typer.Option("--all", help="The whole register, where no place is named.")
]
