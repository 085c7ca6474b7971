"""The command line of the writer."""

from services.writer import main
from services.writer.commands.drill import drill
from services.writer.commands.forget import forget
from services.writer.commands.inspect import inspect
from services.writer.commands.restore import restore
from services.writer.commands.stock import stock
from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli

app = make_app("Write INSEE's records to PostgreSQL.")


@app.command()
def run() -> None:
    """Run the writer service until SIGTERM; settings come from SIRENADE_* variables."""
    main.main()


app.command()(inspect)
app.command()(stock)
app.command()(forget)
app.command()(restore)
app.command()(drill)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
