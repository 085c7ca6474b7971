"""Command line of the fetcher: the service itself, and the commands that ask INSEE."""

from services.fetcher import main
from services.fetcher.commands.certify import certify, repair
from services.fetcher.commands.delta import delta
from services.fetcher.commands.imports import import_
from services.fetcher.commands.lookup import lookup
from services.fetcher.commands.refresh import refresh
from services.fetcher.commands.successions import successions
from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli

app = make_app("Fetch the register from INSEE, under the quota that all replicas share.")


@app.command()
def run() -> None:
    """Run the fetcher service until SIGTERM; settings come from SIRENADE_* variables."""
    main.main()


app.command("import")(import_)
for command in (delta, certify, repair, lookup, refresh, successions):
    app.command()(command)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
