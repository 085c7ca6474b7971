"""The blows of `prove ha`: each node is killed and frozen in turn, and its name is gone with it."""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import requests
from sqlalchemy.exc import DBAPIError

from shared.errors import UserError
from tests.proofs.ha.gaps import Gap, Onlooker, read_counts
from tests.proofs.ha.stack import HaStack
from tests.proofs.samples import Sampler
from tests.servers.postgres_standby import hung, promote, wait_for_nobody
from tests.servers.rabbitmq import RunningRabbitmq

BROKER_KILLED, BROKER_HUNG = "broker node killed", "broker node hangs"
PRIMARY_KILLED, PRIMARY_HUNG = "primary killed", "primary hangs"
_PATIENCE_SECONDS = 120.0
_WHOLE_SECONDS = 300.0
# A node is left alone this long after the work goes on: a second gap would show.
_KILLED_SECONDS, _HUNG_SECONDS, _PROMOTED_SECONDS, _OLD_SECONDS = 10.0, 25.0, 10.0, 12.0
_BEFORE_PROMOTION_SECONDS = 3.0


@dataclass
class Blows:
    """Strikes; `gaps` are by blow, `written_at_old` the rows that went to an old primary."""

    ha: HaStack
    onlooker: Onlooker
    sampler: Sampler
    tell: Callable[[str], None]
    gaps: dict[str, list[Gap]] = field(default_factory=lambda: defaultdict(list))
    written_at_old: int = 0
    restarted: int = 0
    _sampled: float = 0.0

    def round(self) -> None:
        """Strike each server in turn while the work goes on."""
        self._until_moved(time.monotonic())
        for number, node in enumerate(self.ha.nodes, 1):
            with self.ha.names.without(f"mq{number}"):
                begun = time.monotonic()
                node.kill()
                self._note(BROKER_KILLED, begun, _KILLED_SECONDS)
                node.restart()
            self._until_whole()
            with self.ha.names.without(f"mq{number}"), node.hung():
                begun = time.monotonic()
                self._note(BROKER_HUNG, begun, _HUNG_SECONDS)
            self._until_whole()
        self._promotion(PRIMARY_KILLED)
        self._promotion(PRIMARY_HUNG)

    def _promotion(self, kind: str) -> None:
        """Promote the standby; the old primary comes back writable, then as a standby."""
        pair, name = self.ha.pair, self.ha.pair.primary
        old, heir = pair.servers[name], pair.servers[pair.standby]
        self.onlooker.server = heir
        self._until_moved(time.monotonic())
        if kind == PRIMARY_KILLED:
            with self.ha.names.without(name):
                old.kill()
                self._promote(kind)
                old = pair.restart(name)
        else:
            with self.ha.names.without(name), hung(old):
                self._promote(kind)
        wait_for_nobody(old)
        before = read_counts(old)
        self.go_on(_OLD_SECONDS)
        self.written_at_old += sum(read_counts(old)) - sum(before)
        old.kill()
        pair.rejoin(name)
        self._until_moved(time.monotonic())

    def _promote(self, kind: str) -> None:
        pair = self.ha.pair
        time.sleep(_BEFORE_PROMOTION_SECONDS)  # as long as who promotes takes to be sure
        begun = time.monotonic()
        promote(pair.servers[pair.standby])
        pair.primary = pair.standby
        self.ha.stack.postgres = pair.servers[pair.primary]
        self._note(kind, begun, _PROMOTED_SECONDS)

    def _note(self, kind: str, begun: float, seconds: float) -> None:
        self._until_moved(begun)
        self.go_on(seconds)
        gap = self.onlooker.gap(begun)
        self.gaps[kind].append(gap)
        self.tell(f"{kind}: no page for {gap.pages:.1f} s, no text for {gap.texts:.1f} s")

    def _until_whole(self) -> None:
        """Wait until the cluster is whole again: it bears the loss of one node, not of two."""
        end = time.monotonic() + _WHOLE_SECONDS
        while not all(map(self._is_whole, self.ha.nodes)):
            if time.monotonic() > end:
                told = [node.admin.shape() for node in self.ha.nodes]
                raise UserError(f"the cluster is not whole again: {told}")
            self.go_on(1.0)

    def _is_whole(self, node: RunningRabbitmq) -> bool:
        try:
            return node.admin.is_whole(len(self.ha.nodes))
        except requests.RequestException:
            return False

    def _until_moved(self, since: float) -> None:
        """Wait for pages and texts. Raises UserError where none come."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while not self.onlooker.has_moved(since):
            if time.monotonic() > end:
                raise UserError(
                    f"no page or no text for {_PATIENCE_SECONDS:.0f} s: see {self.ha.stack.logs}"
                )
            self.go_on(0.2)

    def go_on(self, seconds: float) -> None:
        """Let the work go on, and look at it."""
        end = time.monotonic() + seconds
        while True:
            self.restarted += self.ha.stack.start_what_ended()
            samples = self.sampler.samples
            if not samples or time.monotonic() - self._sampled > 1:
                self._sampled = time.monotonic()
                with suppress(DBAPIError):
                    self.sampler.take()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.2))
