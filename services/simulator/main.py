"""The command line of the simulator."""

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import typer

from services.simulator.errors import SimulatorError
from services.simulator.gateway.server import RunningServer
from services.simulator.options import Faults, SimulatorOptions
from services.simulator.register.naf_2025 import FORMS

_DEFAULT = SimulatorOptions()
_Options = TypeVar("_Options", Faults, SimulatorOptions)

_NAF_2025 = f"Play the day after --day, when NAF 2025 becomes the reference: {', '.join(FORMS)}."
_quota = partial(typer.Option, rich_help_panel="Gateway and quota")
_data = partial(typer.Option, rich_help_panel="Data")
_fault = partial(typer.Option, rich_help_panel="Faults (all can be changed by POST /__faults)")
_rate = partial(_fault, min=0, max=1)


def run(  # noqa: PLR0913, PLR0917 - one parameter per command-line option
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _DEFAULT.host,
    port_file: Annotated[
        Path | None, typer.Option(help="Write the port there once listening.")
    ] = None,
    establishments: Annotated[
        int, _data(min=1, max=1_000_000, help="How many to invent.")
    ] = _DEFAULT.establishments,
    seed: Annotated[int, _data(help="Same seed, same register, same faults.")] = _DEFAULT.seed,
    departements: Annotated[
        list[str] | None,
        _data(
            "--departement", help="Place all establishments there (may be repeated), such as 33."
        ),
    ] = None,
    day: Annotated[str, _data(help="Last day whose treatments are published.")] = _DEFAULT.day,
    records: Annotated[
        Path | None,
        _data(
            exists=True,
            dir_okay=False,
            help="Serve these recorded records (JSON lines), unchanged.",
        ),
    ] = None,
    naf_2025: Annotated[
        str | None,
        _data(metavar="FORM", help=_NAF_2025),
    ] = None,
    ready_made: Annotated[
        bool, _data("--ready-made", help="Make each answer once, then repeat it.")
    ] = False,
    requests_per_minute: Annotated[
        int, _quota(min=1, help="Quota per key in any 60 s; 429 beyond it.")
    ] = _DEFAULT.requests_per_minute,
    requests_per_hour: Annotated[
        int | None, _quota(min=1, help="Hourly quota per key; none by default.")
    ] = None,
    rate_headers: Annotated[bool, _quota(help="Send x-rate-limit-* and x-quota-*.")] = True,
    error_shape: Annotated[
        str, _quota(help="Body of 429 and 5xx: insee (header block) or gateway.")
    ] = _DEFAULT.error_shape,
    key: Annotated[str | None, _quota(help="The only key accepted; any by default.")] = None,
    latency_ms: Annotated[int, _fault(min=0, help="Added to every answer.")] = 0,
    latency_jitter_ms: Annotated[int, _fault(min=0, help="At most this much more.")] = 0,
    rate_429: Annotated[float, _rate(help="Share answered by 429.")] = 0.0,
    error_rate: Annotated[float, _rate(help="Share answered by --error-status.")] = 0.0,
    error_status: Annotated[
        int, _fault(min=500, max=504, help="500, 502, 503 or 504.")
    ] = _DEFAULT.faults.error_status,
    cut_rate: Annotated[float, _rate(help="Share cut in mid-body.")] = 0.0,
    truncated_rate: Annotated[float, _rate(help="Share of truncated JSON.")] = 0.0,
    html_rate: Annotated[float, _rate(help="Share of HTML with status 200.")] = 0.0,
    new_keys: Annotated[
        bool, _fault("--new-keys", help="Records have keys nobody announced.")
    ] = False,
    missing_keys: Annotated[bool, _fault("--missing-keys", help="Records lack some keys.")] = False,
    days_of_404: Annotated[
        list[str] | None,
        _fault("--day-of-404", help="Treatments of that day cannot be found (may be repeated)."),
    ] = None,
) -> None:
    """Serve an invented, INSEE-like Sirene API 3.11 until stopped.

    It accepts any X-INSEE-Api-Key-Integration that is not empty. Try, with the address it prints:

    curl -H 'X-INSEE-Api-Key-Integration: demo' '…/siret?q=codeCommuneEtablissement:33*&nombre=1'

    Beside the API, /__quota counts the requests, and /__faults lists what goes wrong.
    """
    chosen = locals()
    if error_shape not in {"insee", "gateway"}:
        raise typer.BadParameter("insee or gateway", param_hint="--error-shape")
    _serve(_made(SimulatorOptions, chosen | {"faults": _made(Faults, chosen)}), port_file)


def _made(kind: type[_Options], chosen: Mapping[str, Any]) -> _Options:
    """Make options of those chosen on the command line; the others keep their defaults."""
    values = {option.name: chosen.get(option.name) for option in fields(kind)}
    return kind(**{name: value for name, value in values.items() if value is not None})


def _serve(options: SimulatorOptions, port_file: Path | None) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with _one_line_of_error():
        server = RunningServer(options)
    with server:
        if port_file is not None:
            # A reader that waits for the file must never see half of it.
            partial = port_file.with_name(port_file.name + ".partial")
            partial.write_text(f"{server.port}\n", encoding="ascii")
            partial.replace(port_file)
        typer.echo(f"INSEE simulator listening on {server.url}")
        stopped.wait()


@contextmanager
def _one_line_of_error() -> Iterator[None]:
    try:
        yield
    except (OSError, SimulatorError) as error:
        typer.echo(f"simulator: {error}", err=True)
        raise typer.Exit(2) from None


def stock(  # noqa: PLR0913, PLR0917 - one parameter per command-line option
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write both files into.")],
    establishments: Annotated[
        int, typer.Option(min=1, max=100_000_000, help="Rows of StockEtablissement.")
    ] = _DEFAULT.establishments,
    format_: Annotated[str, typer.Option("--format", help="csv, zip or parquet.")] = "zip",
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = _DEFAULT.seed,
    day: Annotated[str, typer.Option(help="Last day of treatments.")] = _DEFAULT.day,
    departements: Annotated[
        list[str] | None, typer.Option("--departement", help="May be repeated.")
    ] = None,
    naf_2025: Annotated[
        str | None,
        typer.Option(metavar="FORM", help=_NAF_2025),
    ] = None,
    distinct: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000_000, help="Invent this many, and repeat them under other SIRENs."
        ),
    ] = None,
) -> None:
    """Write StockUniteLegale and StockEtablissement of the register that `run` would serve."""
    chosen = locals()
    # Arrow is large, and the server needs none of it.
    from services.simulator.register.stock_files import FORMATS, Format, write_stock  # noqa: PLC0415  as above

    if format_ not in FORMATS:
        raise typer.BadParameter(", ".join(FORMATS), param_hint="--format")
    with _one_line_of_error():
        out.mkdir(parents=True, exist_ok=True)
        options = _made(SimulatorOptions, chosen)
        files = write_stock(out, options, format_=cast("Format", format_), distinct=distinct)
    for file in files.values():
        typer.echo(f"{file.path}: {file.rows} rows")


def main() -> None:
    # `stock` is the one subcommand: the server has always been started without one.
    if sys.argv[1:2] == ["stock"]:
        del sys.argv[1]
        typer.run(stock)
    else:
        typer.run(run)
