"""The command line of the portal."""

from typing import Annotated

import typer

from services.portal import main
from services.portal.api.access import commands as keys
from services.portal.index import commands as index_commands
from services.portal.webhooks import commands as webhooks
from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli

app = make_app("Serve pages, search and feeds.")
portal = make_app("Serve the register and its texts to readers and programs.")
app.add_typer(portal, name="portal")
app.add_typer(index_commands.app, name="search")
for group in (app, portal):
    group.command()(index_commands.index)
portal.add_typer(keys.app, name="keys")
portal.add_typer(webhooks.app, name="webhooks")


@app.command()
@portal.command()
def run(
    with_index: Annotated[
        bool, typer.Option("--with-index", help="Keep the index, too: no `portal index` is needed.")
    ] = False,
) -> None:
    """Serve until SIGTERM; settings come from SIRENADE_* variables."""
    main.main(with_index=with_index)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
