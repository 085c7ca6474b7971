"""Random kills and cuts in the middle of an import with its texts, and the judgement after."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import requests
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.errors import UserError
from shared.imports.progress import Progress, read_progress
from tests.proofs.chaos import blows
from tests.proofs.chaos.blows import Blow
from tests.proofs.command import is_over
from tests.proofs.end_state import read_facts, texts_made_twice
from tests.proofs.promises import Promise, at_most, exactly, judge_end, judge_work
from tests.proofs.stack import DATABASE, Stack

# Lost messages are sent again when leases and stalls run out, some more than once.
_PATIENCE_SECONDS = 600.0
_LOOK_SECONDS = 0.5

_CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name IN ('sirenade-fetcher', 'sirenade-writer', 'sirenade-reviewer',
      'sirenade-meter')
"""
_DEAD_LETTERS = text("SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL")


@dataclass
class Chaos:
    """Strikes a stack; `generators` are those of each reviewer."""

    stack: Stack
    generators: int
    tell: Callable[[str], None]
    struck: list[str] = field(default_factory=list)
    restarted: int = 0

    def run(self, plan: Sequence[Blow]) -> None:
        """Strike while there is work, then wait. Raises UserError where the work does not end."""
        for number, blow in enumerate(plan, start=1):
            if self._wait(blow.after_seconds):
                break
            self.tell(f"{number} of {len(plan)}: {blow.victim}")
            self._strike(blow.victim)
            self.struck.append(blow.victim)
        else:
            if not self._wait(_PATIENCE_SECONDS):
                raise UserError(
                    f"{_PATIENCE_SECONDS:.0f} s after the last blow the work is not done: "
                    f"see {self.stack.logs}"
                )

    def _strike(self, victim: str) -> None:
        match victim:
            case blows.RABBITMQ:
                self.stack.rabbitmq.kill()
                self.stack.rabbitmq.restart()
            case blows.POSTGRES:
                self.stack.kill_postgres()
            case blows.DATABASE_CONNECTIONS:
                with self.stack.postgres.connect(DATABASE) as connection:
                    connection.cursor().execute(_CUT)
            case blows.BROKER_CONNECTIONS:
                try:
                    self.stack.rabbitmq.admin.close_connections("/")
                except requests.HTTPError as error:
                    # A connection that closed by itself since it was listed is as good as cut.
                    if error.response.status_code != requests.codes.not_found:
                        raise
            case service:
                self.stack.kill(service)
                self.stack.start(service)

    def _wait(self, seconds: float) -> bool:
        """Return whether all work was done before these seconds passed."""
        end = time.monotonic() + seconds
        while True:
            self.restarted += self.stack.start_what_ended()
            progress = self._progress()
            if progress and is_over(progress):
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _LOOK_SECONDS))

    def _progress(self) -> Progress | None:
        """Return None while the database is away, or has just cut the connection."""
        try:
            with self.stack.engine.connect() as connection:
                return read_progress(connection)
        except DBAPIError:
            return None

    def judge(self, *, rows: int, kills: int) -> list[Promise]:
        self.stack.engine.dispose()
        facts = read_facts(self.stack.engine, promised_rows=rows, rests=True)
        with self.stack.engine.connect() as connection:
            progress = read_progress(connection)
            dead_letters = connection.scalar(_DEAD_LETTERS) or 0
        in_flight = self._most_in_flight()
        return [
            exactly("blows struck while there was work", kills, len(self.struck)),
            *judge_end(facts),
            *judge_work(progress),
            exactly("dead letters", 0, dead_letters),
            at_most("texts made twice", in_flight, texts_made_twice(self.stack.engine)),
        ]

    def _most_in_flight(self) -> int:
        """Return the most texts that blows can have interrupted."""
        times = Counter(self.struck)
        reviewers = [name for name in self.stack.services if name.startswith("reviewer")]
        of_all = times[blows.POSTGRES] + times[blows.DATABASE_CONNECTIONS]
        struck = sum(times[name] for name in reviewers) + of_all * len(reviewers)
        return self.generators * struck
