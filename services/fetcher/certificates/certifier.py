"""The comparison of a scope with INSEE's present list: counts first, then sirets where needed."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.fetcher.certificates.comparison import WindowFinding, compare, verdict
from services.fetcher.certificates.store import CertificateStore, Outcome
from services.fetcher.insee.client import InseeClient
from services.fetcher.insee.patient_client import Inquirer
from services.fetcher.plan.costs import requests_of
from services.fetcher.plan.deltas import Freshness
from services.fetcher.plan.page_end import FIRST_CURSOR, judge_page
from services.fetcher.plan.windows import Window, windows_of
from shared.errors import SirenadeError, UserError
from shared.imports.scope import Scope

# One request before the comparison, one after it.
_INFORMATIONS = 2
_MOVED = "INSEE's data moved meanwhile: run it again"
# INSEE publishes every night: a longer walk cannot end in the data that it began with.
_LONGEST_WALK_MINUTES = 23 * 60


class Void(SirenadeError):
    """Raised when a comparison cannot give a result; the message says why, and what to do."""


@dataclass(frozen=True)
class Certifier:
    """Compares scopes. `say` prints the next step and its cost.

    `show` shows the progress of a walk: sirets listed so far, of all that its windows expect.
    """

    store: CertificateStore
    inquirer: Inquirer
    rows_per_page: int
    per_minute: float
    say: Callable[[str], None]
    show: Callable[[int, int], None]

    def certify(self, scopes: Sequence[Scope], *, full: bool) -> Outcome:
        """Compare scopes and keep one certificate. Raises UserError where INSEE gives no answer.

        INSEE has no snapshot: where its data moved between the first request and the last, the
        certificate is void. Stored rows may change meanwhile: differences are checked once more
        at the end.
        """
        every = itertools.chain.from_iterable(map(windows_of, scopes))
        windows = list(dict.fromkeys(every))
        self._announce("counts", len(windows) + _INFORMATIONS)
        before = self._freshness()
        if not before.is_up:
            raise UserError("INSEE says that its establishments are not up: certify later")
        certificate = self.store.open(scopes, before.treated_until)
        try:
            return self._compare(certificate, windows, before, full=full)
        except Void as error:
            return self._void(certificate, str(error), before)
        except (KeyboardInterrupt, UserError) as error:
            self.store.void(certificate, str(error) or "interrupted")
            raise

    def _compare(
        self, certificate: int, windows: Sequence[Window], before: Freshness, *, full: bool
    ) -> Outcome:
        gone = self.store.gone(None)
        findings = [self._count_window(window, gone) for window in windows]
        doubtful = [each for each in findings if full or not each.counts_agree]
        if doubtful:
            self._walk(doubtful)
        after = self._freshness()
        if after != before:
            return self._void(certificate, _MOVED, before, after)
        self._check_again(doubtful)
        outcome = Outcome(
            id=certificate,
            status=verdict(findings),
            reason=None,
            informations_before=before.treated_until,
            informations_after=after.treated_until,
            requests=self.inquirer.requests,
            findings=findings,
            failed_items=self.store.failed_items(
                [siret for each in doubtful for siret in each.missing.kept]
            ),
        )
        self.store.close(outcome)
        return outcome

    def _freshness(self) -> Freshness:
        return self.inquirer.ask(InseeClient.informations).collections["etablissements"]

    def _void(
        self, certificate: int, reason: str, before: Freshness, after: Freshness | None = None
    ) -> Outcome:
        until = None if after is None else after.treated_until
        self.store.void(certificate, reason, after=until)
        return Outcome(
            certificate, "void", reason, before.treated_until, until, self.inquirer.requests
        )

    def _count_window(self, window: Window, gone: Sequence[str]) -> WindowFinding:
        return WindowFinding(
            window,
            expected=self.inquirer.count(window.query),
            counted=self.store.count(window),
            gone_counted=len(self.store.still_stored(window, gone)),
        )

    def _walk(self, findings: Sequence[WindowFinding]) -> None:
        expected = sum(each.expected for each in findings)
        pages = [requests_of(each.expected, self.rows_per_page) for each in findings]
        minutes = self._announce("the walk", sum(pages))
        if minutes > _LONGEST_WALK_MINUTES:
            raise Void(
                f"{expected} are listed and {sum(each.counted for each in findings)} stored, and "
                "to compare their sirets would outlast INSEE's day: certify départements instead"
            )
        listed = 0
        for finding in findings:
            self._walk_window(finding, listed, expected)
            listed += finding.expected

    def _walk_window(self, finding: WindowFinding, listed_before: int, expected: int) -> None:
        """Compare each page of INSEE's list with the same stretch of the stored sirets."""
        cursor, last, listed, is_last = FIRST_CURSOR, "", 0, False
        query = finding.window.query
        while not is_last:
            answer = self.inquirer.ask(
                InseeClient.list_sirets, query, nombre=self.rows_per_page, curseur=cursor
            )
            sirets = answer.records
            if answer.total != finding.expected or not _rises(last, sirets):
                raise Void(_MOVED)
            is_last = judge_page(
                cursor=cursor,
                next_cursor=answer.next_cursor,
                rows=len(sirets),
                received_before=listed,
                total=answer.total,
            ).is_last
            end = None if is_last else sirets[-1]
            stretch = self.store.sirets(finding.window, above=last, up_to=end)
            for side, siret in compare(sirets, stretch):
                (finding.missing if side == "missing" else finding.surplus).add(siret)
            listed += len(sirets)
            cursor, last = answer.next_cursor or cursor, end or last
            self.show(listed_before + listed, expected)
        if listed != finding.expected:
            raise Void(_MOVED)
        finding.is_walked = True

    def _check_again(self, findings: Sequence[WindowFinding]) -> None:
        """Check the differences again: an import may have stored or moved some meanwhile."""
        for finding in findings:
            window, missing, surplus = finding.window, finding.missing, finding.surplus
            stored = self.store.still_stored(window, missing.kept)
            missing.kept = [siret for siret in missing.kept if siret not in stored]
            stored = self.store.still_stored(window, surplus.kept)
            finding.gone = self.store.gone(sorted(stored))
            surplus.kept = sorted(stored.difference(finding.gone))

    def _announce(self, what: str, requests: int) -> float:
        """Print the cost of a step; return its minutes."""
        minutes = max(requests / self.per_minute, 0.1)
        self.say(f"{what}: {requests} requests, about {minutes:.1f} min at the present quota")
        return minutes


def _rises(last: str, sirets: Sequence[str]) -> bool:
    """Return whether the sirets rise, as INSEE lists them; else the list changed meanwhile."""
    return all(low < high for low, high in zip([last, *sirets], sirets, strict=False))
