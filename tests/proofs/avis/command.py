"""`prove avis`: generators and a slow chat server, measured from outside."""

import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine, text

from deploy.local.folders import LOCAL
from services.reviewer.money.budget import Budget
from shared.errors import UserError
from shared.terminal.console import Console
from shared.terminal.words import thousands
from tests.proofs import plots
from tests.proofs.avis.due_pages import add_subjects
from tests.proofs.avis.llmock_script import FAULTY_ONE_IN, Conversation
from tests.proofs.avis.promises import (
    MOST_RSS_BYTES,
    AvisOrder,
    Call,
    Ledger,
    judge_avis,
    mean_latency_of,
    rate_of,
    steady_part,
)
from tests.proofs.command import follow, fresh, lasted, tell
from tests.proofs.page import Proof
from tests.proofs.samples import Sample
from tests.proofs.stack import run_stack
from tests.servers.llmock import Llmock, llmock_server

# A process parses and validates on one core: beyond this many generators another one helps.
_GENERATORS_OF_A_PROCESS = 100
_MOST_LATENCY_SECONDS = 20.0
_CAP_EUR = Decimal(100)
# A token costs a multiple of a ten-millionth of a euro, so that sums are exact.
_INPUT_EUR, _OUTPUT_EUR = Decimal("0.1"), Decimal("0.3")
_LEDGER = text("""
    SELECT (SELECT count(*) FROM avis WHERE outcome = 'accepted') AS accepted,
      (SELECT count(*) FROM avis WHERE outcome = 'accepted' AND model <> :model) AS by_template,
      (SELECT count(*) FROM (SELECT FROM avis_attempts WHERE accepted AND provider IS NOT NULL
         GROUP BY avis_id HAVING count(*) > 1) again) AS twice,
      count(*) FILTER (WHERE provider IS NOT NULL) AS answers,
      count(*) FILTER (WHERE provider IS NOT NULL AND NOT accepted) AS refused,
      coalesce(sum(tokens_in), 0) AS tokens_in,
      coalesce(sum(tokens_out), 0) AS tokens_out,
      coalesce(sum(cost_eur), 0) AS cost_eur,
      (SELECT spent_eur FROM review_budget) AS spent_eur
    FROM avis_attempts
""")
_MODEL = "llmock"


def prove_avis(
    *,
    texts: Annotated[int, typer.Option(help="Texts that are due.", min=100, max=9000)] = 5000,
    generators: Annotated[
        int, typer.Option(help="Texts in the making at once: 10, 50, 200.", min=1, max=400)
    ] = 10,
    latency: Annotated[
        str, typer.Option(help="Seconds that the chat server needs, from-to.")
    ] = "2-5",
    directory: Annotated[Path, typer.Option(help="Folder of the run.")] = LOCAL / "prove",
) -> None:
    """Let a chat server of that latency write texts, and say which promises were kept.

    The chat server is llmock, which others wrote; one answer in 25 is faulty, and is asked for
    again. One reviewer process serves 100 generators. 5 000 texts take some 30 minutes with 10
    generators, 6 with 50, 2 with 200.
    """
    least, most = _range(latency)
    asked = AvisOrder(texts, generators, least, most)
    console = Console(stderr=True)
    folder = fresh(directory / "avis")
    title = f"{thousands(texts)} texts, {generators} generators, {latency} s an answer"
    console.print(f"{title}: starting PostgreSQL, RabbitMQ, llmock and the reviewers")
    base = ("--latency-ms", str(round(1000 * least)))
    processes = math.ceil(generators / _GENERATORS_OF_A_PROCESS)
    with (
        llmock_server(*base, log=folder / "llmock.log") as llmock,
        run_stack(
            folder,
            settings={
                "SIRENADE_AVIS_PROVIDERS_FILE": str(_write_providers(folder, llmock)),
                "SIRENADE_REVIEWER_GENERATORS": str(math.ceil(generators / processes)),
            },
        ) as stack,
    ):
        stack.beside["llmock"] = llmock.pid
        add_subjects(stack.engine, texts)
        Budget(stack.engine).resume(cap_eur=_CAP_EUR, keep_cap=False)
        conversation = Conversation(llmock, asked)
        conversation.begin()
        stack.start_each(("reviewer",), processes)
        samples = follow(
            *(stack, title, console),
            until=lambda progress: progress.avis_pending == 0,
            meanwhile=conversation.go_on,
        )
        proof = _proof(samples, _read_ledger(stack.engine), _read_calls(llmock), asked, title)
    tell(proof, folder, console)


def _range(latency: str) -> tuple[float, float]:
    try:
        least, most = (float(part) for part in latency.split("-"))
    except ValueError:
        raise UserError(f"--latency {latency}: use seconds from-to, like 2-5") from None
    if not 0 < least <= most <= _MOST_LATENCY_SECONDS:
        raise UserError(f"--latency {latency}: from above 0 to {_MOST_LATENCY_SECONDS:.0f}")
    return least, most


def _write_providers(folder: Path, llmock: Llmock) -> Path:
    file = folder / "providers.toml"
    file.write_text(
        f"[[provider]]\nname = 'llmock'\nbase_url = '{llmock.base_url}'\nmodel = '{_MODEL}'\n"
        f"price.input_eur_per_million = {_INPUT_EUR}\n"
        f"price.output_eur_per_million = {_OUTPUT_EUR}\n"
    )
    return file


def _read_calls(llmock: Llmock) -> list[Call]:
    """Return the calls that were answered."""
    return [
        Call(record["started_at"], record["ended_at"])
        for record in llmock.records()
        if record["status"] == 200  # HTTP's own
    ]


def _read_ledger(engine: Engine) -> Ledger:
    with engine.connect() as connection:
        row = connection.execute(_LEDGER, {"model": _MODEL}).mappings().one()
    millionths = row["tokens_in"] * _INPUT_EUR + row["tokens_out"] * _OUTPUT_EUR
    return Ledger(**row, owed_eur=millionths / 1_000_000)


def _proof(
    samples: Sequence[Sample], ledger: Ledger, calls: list[Call], asked: AvisOrder, title: str
) -> Proof:
    part = steady_part(calls, asked)
    rate = None if part is None else rate_of(calls, part)
    steady = 0.0 if part is None else part[1] - part[0]
    told = (
        f"{lasted(samples[-1].at_seconds)}, of which {lasted(steady)} count: from one latency "
        f"after all generators were first at the server until the last calls, two of each, began · "
        f"{thousands(len(calls))} answers, {ledger.refused} refused and asked for again · "
        f"{thousands(ledger.tokens_in)} + {thousands(ledger.tokens_out)} tokens, "
        f"{ledger.cost_eur:.4f} €"
    )
    return Proof(
        title=title,
        told=told,
        figures={
            "generators": asked.generators,
            "latency_seconds": [asked.least_latency_seconds, asked.most_latency_seconds],
            "faulty_one_in": FAULTY_ONE_IN,
            "ideal_per_second": asked.ideal_per_second,
            "answers_per_second": rate,
            "steady_seconds": steady,
            "mean_latency_seconds": mean_latency_of(calls),
            "ledger": {
                name: str(value) if isinstance(value, Decimal) else value
                for name, value in vars(ledger).items()
            },
        },
        samples=samples,
        promises=judge_avis(samples, calls, ledger, asked),
        plots={
            "Texts": plots.throughput(samples),
            "Memory by process": plots.memory(samples, bound_bytes=MOST_RSS_BYTES),
            "TCP connections": plots.connections(samples),
            "Queues": plots.queues(samples),
        },
    )
