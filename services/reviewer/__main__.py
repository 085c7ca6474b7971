"""The command line of the reviewer: the service, and commands about its texts."""

from services.reviewer import main
from services.reviewer.commands.budget import budget, pause, resume
from services.reviewer.commands.check import check
from services.reviewer.commands.forecast import forecast
from services.reviewer.commands.held import held
from services.reviewer.commands.orders import edit, hold, regenerate, reject, release
from services.reviewer.commands.rehearse import rehearse
from services.reviewer.commands.renewals import sweep
from services.reviewer.commands.report import report
from services.reviewer.commands.reviews import reviews
from services.reviewer.commands.run import run as run_texts
from services.reviewer.commands.show import show
from services.reviewer.commands.whose import whose
from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli

app = make_app("Write, check and store the avis.")
avis = make_app("Show avis, order them, and check texts of other origin.")
app.add_typer(avis, name="avis")
app.add_typer(reviews, name="reviews")
app.add_typer(rehearse, name="rehearse")
for command in (run_texts, budget, pause, resume, forecast, show, sweep, check, report):
    avis.command()(command)
for order in (whose, held, hold, release, reject, edit, regenerate):
    avis.command()(order)


@app.command()
def run() -> None:
    """Run the reviewer service until SIGTERM; settings come from SIRENADE_* variables."""
    main.main()


if __name__ == "__main__":
    run_cli(app, name="sirenade")
