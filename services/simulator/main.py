"""Command line of the simulator."""

import signal
import sys
import threading
from dataclasses import fields
from pathlib import Path
from typing import Annotated, cast

import typer

from services.simulator.gateway.server import start_server
from services.simulator.options import ErrorShape, Faults, SimulatorOptions

_QUOTA, _DATA, _FAULTS = (
    "Gateway and quota",
    "Data",
    "Faults (all can be changed by POST /__faults)",
)


_DEFAULT = SimulatorOptions()


def run(  # noqa: PLR0913, PLR0917 - one parameter per command-line option
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _DEFAULT.host,
    port_file: Annotated[
        Path | None, typer.Option(help="Write the port there once listening.")
    ] = None,
    establishments: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many to invent.", rich_help_panel=_DATA)
    ] = _DEFAULT.establishments,
    seed: Annotated[
        int, typer.Option(help="Same seed, same register, same faults.", rich_help_panel=_DATA)
    ] = _DEFAULT.seed,
    departement: Annotated[
        list[str] | None,
        typer.Option(
            help="Place all establishments there (may be repeated), such as 33.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    day: Annotated[
        str, typer.Option(help="Last day whose treatments are published.", rich_help_panel=_DATA)
    ] = _DEFAULT.day,
    records: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Serve these recorded records (JSON lines), unchanged.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    ready_made: Annotated[
        bool,
        typer.Option(
            "--ready-made", help="Make each answer once, then repeat it.", rich_help_panel=_DATA
        ),
    ] = False,
    requests_per_minute: Annotated[
        int,
        typer.Option(
            min=1, help="Quota per key in any 60 s; 429 beyond it.", rich_help_panel=_QUOTA
        ),
    ] = _DEFAULT.requests_per_minute,
    requests_per_hour: Annotated[
        int | None,
        typer.Option(min=1, help="Hourly quota per key; none by default.", rich_help_panel=_QUOTA),
    ] = None,
    rate_headers: Annotated[
        bool, typer.Option(help="Send x-rate-limit-* and x-quota-*.", rich_help_panel=_QUOTA)
    ] = True,
    error_shape: Annotated[
        str,
        typer.Option(
            help="Body of 429 and 5xx: insee (header block) or gateway.", rich_help_panel=_QUOTA
        ),
    ] = _DEFAULT.error_shape,
    key: Annotated[
        str | None,
        typer.Option(help="The only key accepted; any by default.", rich_help_panel=_QUOTA),
    ] = None,
    latency_ms: Annotated[
        int, typer.Option(min=0, help="Added to every answer.", rich_help_panel=_FAULTS)
    ] = 0,
    latency_jitter_ms: Annotated[
        int, typer.Option(min=0, help="At most this much more.", rich_help_panel=_FAULTS)
    ] = 0,
    rate_429: Annotated[
        float, typer.Option(min=0, max=1, help="Share answered by 429.", rich_help_panel=_FAULTS)
    ] = 0.0,
    error_rate: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share answered by --error-status.", rich_help_panel=_FAULTS
        ),
    ] = 0.0,
    error_status: Annotated[
        int, typer.Option(min=500, max=504, help="500, 502, 503 or 504.", rich_help_panel=_FAULTS)
    ] = _DEFAULT.faults.error_status,
    cut_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share cut in mid-body.", rich_help_panel=_FAULTS)
    ] = 0.0,
    truncated_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of truncated JSON.", rich_help_panel=_FAULTS)
    ] = 0.0,
    html_rate: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of HTML with status 200.", rich_help_panel=_FAULTS),
    ] = 0.0,
    new_keys: Annotated[
        bool,
        typer.Option(
            "--new-keys", help="Records have keys nobody announced.", rich_help_panel=_FAULTS
        ),
    ] = False,
    missing_keys: Annotated[
        bool,
        typer.Option("--missing-keys", help="Records lack some keys.", rich_help_panel=_FAULTS),
    ] = False,
    days_of_404: Annotated[
        list[str] | None,
        typer.Option(
            "--day-of-404",
            help="Treatments of that day cannot be found (may be repeated).",
            rich_help_panel=_FAULTS,
        ),
    ] = None,
) -> None:
    """Serve an invented, INSEE-like Sirene API 3.11 until stopped.

    Any non-empty X-INSEE-Api-Key-Integration is accepted. Try, with the address it prints:

    curl -H 'X-INSEE-Api-Key-Integration: demo' '…/siret?q=codeCommuneEtablissement:33*&nombre=1'

    Beside the API, /__quota tells what was asked, /__faults what goes wrong.
    """
    chosen = locals()
    if error_shape not in {"insee", "gateway"}:
        raise typer.BadParameter("insee or gateway", param_hint="--error-shape")
    faults = Faults(
        **{
            knob.name: chosen[knob.name]
            for knob in fields(Faults)
            if chosen.get(knob.name) is not None
        }
    )
    options = SimulatorOptions(
        host=host, port=port, establishments=establishments, seed=seed, day=day,
        departements=tuple(departement or ()), records=records, ready_made=ready_made,
        requests_per_minute=requests_per_minute, requests_per_hour=requests_per_hour,
        rate_headers=rate_headers, error_shape=cast("ErrorShape", error_shape),
        key=key, faults=faults,
    )  # fmt: skip
    _serve(options, port_file)


def _serve(options: SimulatorOptions, port_file: Path | None) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        server = start_server(options)
    except (OSError, ValueError) as error:
        typer.echo(f"simulator: {error}", err=True)
        raise typer.Exit(2) from None
    with server:
        if port_file is not None:
            # Whoever waits for the file must never read half of it.
            partial = port_file.with_name(port_file.name + ".partial")
            partial.write_text(f"{server.port}\n", encoding="ascii")
            partial.replace(port_file)
        typer.echo(f"INSEE simulator listening on {server.url}")
        stopped.wait()


def stock(  # noqa: PLR0913, PLR0917 - one parameter per command-line option
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write both files into.")],
    establishments: Annotated[
        int, typer.Option(min=1, max=100_000_000, help="Rows of StockEtablissement.")
    ] = _DEFAULT.establishments,
    format_: Annotated[str, typer.Option("--format", help="csv, zip or parquet.")] = "zip",
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = _DEFAULT.seed,
    day: Annotated[str, typer.Option(help="Last day of treatments.")] = _DEFAULT.day,
    departement: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    distinct: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000_000, help="Invent so many, and repeat them under other SIRENs."
        ),
    ] = None,
) -> None:
    """Write StockUniteLegale and StockEtablissement of the register that `run` would serve."""
    # Arrow is large, and the server needs none of it.
    from services.simulator.register.stock_files import FORMATS, Format, write_stock  # noqa: PLC0415  as above

    if format_ not in FORMATS:
        raise typer.BadParameter(", ".join(FORMATS), param_hint="--format")
    options = SimulatorOptions(
        establishments=establishments, seed=seed, day=day, departements=tuple(departement or ())
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        files = write_stock(out, options, format_=cast("Format", format_), distinct=distinct)
    except (OSError, ValueError) as error:
        typer.echo(f"simulator: {error}", err=True)
        raise typer.Exit(2) from None
    for file in files.values():
        typer.echo(f"{file.path}: {file.rows} rows")


def main() -> None:
    # `stock` is the one subcommand: what runs the server has always been called without one.
    if sys.argv[1:2] == ["stock"]:
        del sys.argv[1]
        typer.run(stock)
    else:
        typer.run(run)
