"""`./sirenade prove`: runs that measure the promises from outside."""

from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli
from tests.proofs.avis.command import prove_avis
from tests.proofs.chaos.command import prove_chaos
from tests.proofs.ha.command import prove_ha
from tests.proofs.import_command import prove_import
from tests.proofs.soak.command import prove_soak

app = make_app("Runs of all of Sirenade that measure its promises.")
prove = make_app("Prove the promises: real services at the true quota, measured from outside.")
app.add_typer(prove, name="prove")
prove.command("import")(prove_import)
prove.command("chaos")(prove_chaos)
prove.command("ha")(prove_ha)
prove.command("soak")(prove_soak)
prove.command("avis")(prove_avis)

if __name__ == "__main__":
    run_cli(app, name="sirenade")
