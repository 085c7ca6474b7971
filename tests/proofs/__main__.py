"""`./sirenade prove`: the promises, run for real and measured from outside."""

from shared.terminal.cli import make_app
from shared.terminal.cli import run as run_cli
from tests.proofs.avis_command import prove_avis
from tests.proofs.chaos_command import prove_chaos
from tests.proofs.import_command import prove_import
from tests.proofs.soak_command import prove_soak

app = make_app("What runs the whole of Sirenade, to see what it is worth.")
prove = make_app("Prove what is promised: real services, the true quota, measured from outside.")
app.add_typer(prove, name="prove")
prove.command("import")(prove_import)
prove.command("chaos")(prove_chaos)
prove.command("soak")(prove_soak)
prove.command("avis")(prove_avis)

if __name__ == "__main__":
    run_cli(app, name="sirenade")
