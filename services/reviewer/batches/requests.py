"""The requests of a batch: avis that wait become a batch, and the batch a file of requests."""

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import IO

import orjson
from sqlalchemy import Connection, Engine, text

from services.reviewer import statements
from services.reviewer.batches.client import ENDPOINT
from services.reviewer.batches.jobs import BatchJob
from services.reviewer.batches.lines import (
    SELECT_LINES,
    BatchLine,
    drop,
    keep_claims,
    line_of,
    read_lines,
    release,
)
from services.reviewer.providers.bill import Messages, largest_usage
from services.reviewer.providers.chat import payload_of
from services.reviewer.providers.prompt import Prompt
from services.reviewer.providers.settings import Batch, Provider
from services.reviewer.store import Describe
from services.reviewer.texts.subject_rows import read_subjects
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import PENDING

_LINES_AT_ONCE = 500
# Somebody waits for a sample.
_SAMPLE_LINGER_SECONDS = 5.0

_IS_WAITING = """batch_id IS NULL AND provider = :provider
      AND (CAST(:only AS bigint[]) IS NULL OR avis_id = ANY(CAST(:only AS bigint[])))"""
_WAITING = text(f"""
    SELECT count(*) AS lines, coalesce(extract(epoch FROM clock_timestamp() - min(parked_at)), 0)
      AS oldest_seconds
    FROM review_batch_lines WHERE {_IS_WAITING}
""")
_TAKE = text(f"""
    {SELECT_LINES} WHERE {_IS_WAITING} ORDER BY parked_at, id LIMIT :size FOR UPDATE SKIP LOCKED
""")
_INSERT = text("""
    INSERT INTO review_batches (key, provider, model, prompt_version, structured_output, state,
      texts, cost_eur, expires_at)
    VALUES (:key, :provider, :model, :prompt_version, :structured_output, 'ready', :texts, :cost,
      clock_timestamp() + make_interval(hours => :hours))
    RETURNING id
""")
_FILL = text("""
    UPDATE review_batch_lines l SET
      batch_id = :batch, facts_hash = new.facts_hash, tokens_in = new.tokens_in,
      cost_eur = new.cost_eur
    FROM json_to_recordset(CAST(:rows AS json)) AS new(
      id bigint, facts_hash text, tokens_in integer, cost_eur numeric)
    WHERE l.id = new.id
""")


@dataclass(frozen=True)
class DueLine:
    """A line whose avis is still to be written, with the present facts."""

    line: BatchLine
    subject: AvisSubject
    messages: Messages


@dataclass(frozen=True)
class BatchBuilder:
    """Builds the batches of one provider."""

    provider: Provider
    batch: Batch
    prompt: Prompt
    sole_traders: bool
    describe: Describe = dict

    def is_due(self, engine: Engine, only: Sequence[int] | None) -> bool:
        """Return whether a batch is full, or its first text has waited long enough."""
        linger = self.batch.linger_seconds
        if only is not None:
            linger = min(linger, _SAMPLE_LINGER_SECONDS)
        with engine.connect() as connection:
            values = {"provider": self.provider.name, "only": only}
            waiting = connection.execute(_WAITING, values).one()
        if not waiting.lines:
            return False
        return bool(waiting.lines >= self.batch.size or waiting.oldest_seconds >= linger)

    def build(
        self, engine: Engine, *, left_eur: Decimal | None, only: Sequence[int] | None
    ) -> tuple[int, Decimal | None]:
        """Build one batch of what waits, as far as the money goes; drop what need not wait.

        Return the number of texts, 0 where none was built, and the cost of one that was too dear.
        """
        with engine.begin() as connection:
            values = {"provider": self.provider.name, "only": only, "size": self.batch.size}
            lines = [line_of(row) for row in connection.execute(_TAKE, values).mappings()]
            due = self._due(connection, lines)
            chosen: list[dict[str, object]] = []
            cost_eur = Decimal(0)
            for each in due:
                most = largest_usage(each.messages, self.provider)
                eur = self.provider.price.cost_eur(most)
                if left_eur is not None and eur > 0 and cost_eur + eur > left_eur:
                    if not chosen:
                        return 0, eur
                    break
                cost_eur += eur
                chosen.append(
                    {
                        "id": each.line.id,
                        "facts_hash": each.subject.facts_hash,
                        "tokens_in": most.tokens_in,
                        "cost_eur": str(eur),
                    }
                )
            if chosen:
                self._insert(connection, chosen, cost_eur)
        return len(chosen), None

    @contextmanager
    def request_file(self, engine: Engine, job: BatchJob) -> Iterator[tuple[IO[bytes], int]]:
        """Yield the file to upload and its number of texts; release avis that have changed."""
        with tempfile.TemporaryFile() as file:
            texts = after = 0
            while True:
                with engine.begin() as connection:
                    lines = read_lines(connection, job.id, after=after, most=_LINES_AT_ONCE)
                    due = self._due(connection, lines, unchanged=True)
                for each in due:
                    file.write(self._request(each))
                texts += len(due)
                if len(lines) < _LINES_AT_ONCE:
                    break
                after = lines[-1].id
            file.seek(0)
            yield file, texts

    def _due(
        self, connection: Connection, lines: Sequence[BatchLine], *, unchanged: bool = False
    ) -> list[DueLine]:
        """Return lines that are still to be written, with the present facts; release the others."""
        ids = sorted(line.avis_id for line in lines)
        held = {row.id: row for row in connection.execute(statements.LOCK, {"ids": ids})}
        subjects = self.describe(read_subjects(connection, ids))
        json_wanted = self.provider.structured_output != "plain"
        due: list[DueLine] = []
        gone: list[BatchLine] = []
        for line in lines:
            row, subject = held.get(line.avis_id), subjects.get(line.avis_id)
            if (
                row is None
                or (row.outcome, str(row.claim_token)) != (PENDING, str(line.claim_token))
                or subject is None
                or subject.outcome(sole_traders=self.sole_traders) != PENDING
                or (unchanged and subject.facts_hash != line.facts_hash)
            ):
                gone.append(line)
            else:
                messages = self.prompt.messages(
                    subject.facts, json_wanted=json_wanted, reasons=line.reasons
                )
                due.append(DueLine(line, subject, messages))
        if gone:
            release(connection, gone)
            drop(connection, [line.id for line in gone])
        return due

    def _request(self, due: DueLine) -> bytes:
        body = payload_of(self.provider, due.messages, self.provider.structured_output)
        request: dict[str, object] = {"custom_id": str(due.line.id), "body": body}
        if self.batch.api == "openai":
            request |= {"method": "POST", "url": ENDPOINT}
        return orjson.dumps(request) + b"\n"

    def _insert(
        self, connection: Connection, chosen: Sequence[dict[str, object]], cost_eur: Decimal
    ) -> None:
        values = {
            "key": uuid.uuid4(),
            "provider": self.provider.name,
            "model": self.provider.model,
            "prompt_version": self.prompt.version,
            "structured_output": self.provider.structured_output,
            "texts": len(chosen),
            "cost": cost_eur,
            "hours": self.batch.window_hours,
        }
        batch_id = connection.execute(_INSERT, values).scalar_one()
        connection.execute(_FILL, {"rows": statements.to_rows(chosen), "batch": batch_id})
        keep_claims(connection, batch_id, hours=self.batch.window_hours)
