"""The comparison of a scope with INSEE's present list: counts, then sirets, then contents."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.fetcher.certificates.comparison import (
    MOST_SIRETS_KEPT,
    Altered,
    WindowFinding,
    compare,
    verdict,
)
from services.fetcher.certificates.contents import ContentComparison
from services.fetcher.certificates.listed_pages import MOVED, ListedPage, Listing, Void
from services.fetcher.certificates.store import CertificateStore, Outcome
from services.fetcher.certificates.stored_rows import StoredRows
from services.fetcher.insee.client import InseeClient
from services.fetcher.insee.patient_client import Inquirer
from services.fetcher.plan.costs import requests_of
from services.fetcher.plan.deltas import Freshness
from services.fetcher.plan.windows import Window, windows_of
from shared.errors import UserError
from shared.imports.scope import Scope

# One request before the comparison, one after it.
_INFORMATIONS = 2
# INSEE publishes every night: a longer walk cannot end in the data that it began with.
_LONGEST_WALK_MINUTES = 23 * 60

Depth = Literal["counts", "sirets", "contents"]
"""The most that is compared; sirets are compared all the same where counts differ."""


@dataclass(frozen=True)
class Certifier:
    """Compares scopes. `say` prints the next step and its cost.

    `show` shows the progress of a walk: sirets listed so far, of all that its windows expect.
    """

    store: CertificateStore
    rows: StoredRows
    inquirer: Inquirer
    rows_per_page: int
    per_minute: float
    say: Callable[[str], None]
    show: Callable[[int, int], None]

    def certify(self, scopes: Sequence[Scope], depth: Depth) -> Outcome:
        """Compare scopes and keep one certificate. Raises UserError where INSEE gives no answer.

        INSEE has no snapshot: where its data moved between the first request and the last, the
        certificate is void. Stored rows may change meanwhile: differences are checked once more
        at the end.
        """
        every = itertools.chain.from_iterable(map(windows_of, scopes))
        windows = list(dict.fromkeys(every))
        self._announce("counts", len(windows) + _INFORMATIONS)
        before = self._freshness()
        of_etablissements = before["etablissements"]
        if not of_etablissements.is_up:
            raise UserError("INSEE says that its establishments are not up: certify later")
        certificate = self.store.open(scopes, of_etablissements.treated_until)
        try:
            return self._compare(certificate, windows, before, depth)
        except Void as error:
            return self._void(certificate, str(error), of_etablissements)
        except (KeyboardInterrupt, UserError) as error:
            self.store.void(certificate, str(error) or "interrupted")
            raise

    def _compare(
        self,
        certificate: int,
        windows: Sequence[Window],
        freshness: Mapping[str, Freshness],
        depth: Depth,
    ) -> Outcome:
        gone = self.store.gone(None)
        findings = [self._count_window(window, gone, depth) for window in windows]
        doubtful = [each for each in findings if depth != "counts" or not each.counts_agree]
        if doubtful:
            self._walk(doubtful)
        freshness_now = self._freshness()
        before, after = freshness["etablissements"], freshness_now["etablissements"]
        if after != before or (depth == "contents" and freshness_now != freshness):
            return self._void(certificate, MOVED, before, after)
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

    def _freshness(self) -> Mapping[str, Freshness]:
        return self.inquirer.ask(InseeClient.informations).collections

    def _void(
        self, certificate: int, reason: str, before: Freshness, after: Freshness | None = None
    ) -> Outcome:
        until = None if after is None else after.treated_until
        self.store.void(certificate, reason, after=until)
        return Outcome(
            certificate, "void", reason, before.treated_until, until, self.inquirer.requests
        )

    def _count_window(self, window: Window, gone: Sequence[str], depth: Depth) -> WindowFinding:
        return WindowFinding(
            window,
            expected=self.inquirer.count(window.query),
            counted=self.store.count(window),
            gone_counted=len(self.store.still_stored(window, gone)),
            altered=Altered() if depth == "contents" else None,
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

    def _walk_window(self, finding: WindowFinding, listed: int, expected: int) -> None:
        """Compare each page of INSEE's list with the same stretch of the stored rows.

        `listed` counts those of the windows before.
        """
        window, altered = finding.window, finding.altered
        contents = ContentComparison()
        listing = Listing(self.inquirer, self.rows_per_page, has_records=altered is not None)
        for page in listing.pages(window, expected=finding.expected):
            unlisted = self._compare_sirets(finding, page)
            if altered is not None:
                stored = self.rows.read(page.sirets)
                records = zip(page.sirets, page.records, strict=True)
                altered.extend(contents.differences(records, stored, page.seen_at))
                altered.extend(self.rows.extra_pages(unlisted))
            listed += len(page.sirets)
            self.show(listed, expected)
        if altered is not None:
            missing = frozenset(finding.missing.kept)
            rowless = self.rows.rowless_pages(window, most=MOST_SIRETS_KEPT)
            extra = self.rows.extra_pages([each for each in rowless if each not in missing])
            altered.extend(extra)
        finding.is_walked = True

    def _compare_sirets(self, finding: WindowFinding, page: ListedPage) -> Sequence[str]:
        """Compare the page with the same stretch; return the stored sirets that are not listed.

        There are as many of these as are kept, at most.
        """
        stretch = self.store.sirets(finding.window, above=page.above, up_to=page.up_to)
        unlisted = len(finding.surplus.kept)
        for side, siret in compare(page.sirets, stretch):
            (finding.missing if side == "missing" else finding.surplus).add(siret)
        return finding.surplus.kept[unlisted:]

    def _check_again(self, findings: Sequence[WindowFinding]) -> None:
        """Check the differences again: an import may have stored or moved some meanwhile."""
        for finding in findings:
            window, missing, surplus = finding.window, finding.missing, finding.surplus
            stored = self.store.still_stored(window, missing.kept)
            missing.kept = [siret for siret in missing.kept if siret not in stored]
            stored = self.store.still_stored(window, surplus.kept)
            finding.gone = self.store.gone(sorted(stored))
            surplus.kept = sorted(stored.difference(finding.gone))
            if finding.altered is not None:
                altered = finding.altered
                altered.keep_unchanged(self.rows.fingerprints(altered.sirets.kept))

    def _announce(self, what: str, requests: int) -> float:
        """Print the cost of a step; return its minutes."""
        minutes = max(requests / self.per_minute, 0.1)
        self.say(f"{what}: {requests} requests, about {minutes:.1f} min at the present quota")
        return minutes
