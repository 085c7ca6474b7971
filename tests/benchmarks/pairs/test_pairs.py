"""Recall over pairs that people wrote, by bank and by kind (README.md)."""

from collections.abc import Iterator

import pytest

from deploy.local.postgres import RunningPostgres
from services.portal.search.engine import Search
from services.writer.stock import command
from services.writer.stock.loader import StockOptions
from tests.benchmarks.figures import Figures
from tests.benchmarks.pairs.banks import banks, read_bank
from tests.benchmarks.pairs.fixed_register import ESTABLISHMENTS, write_stock_of
from tests.benchmarks.portal.scores import Scores
from tests.benchmarks.portal.searched import Searched, searched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def site(
    postgres: RunningPostgres,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Searched]:
    folder = tmp_path_factory.mktemp("stock")

    def fill(url: str) -> None:
        command.load(url, write_stock_of(folder), StockOptions())

    with searched(postgres, migrated_template, "benchmark_pairs", fill) as site:
        yield site


def test_the_whole_register_is_searched(site: Searched) -> None:
    assert site.number("SELECT count(*) FROM search_entries") == ESTABLISHMENTS


def test_recall_over_what_people_wrote(site: Searched, figures: Figures) -> None:
    for bank in banks():
        scores = Scores()
        for pair in read_bank(bank):
            hits = site.find(Search(q=pair.query)).hits
            if scores.add(pair.kind, (hit.siret in pair.sirets for hit in hits)) is None:
                print(f"  missed: {pair.kind}: {pair.query}")  # noqa: T201  a benchmark's result
        print("\n".join(scores.lines()))  # noqa: T201  as above
        for kind, score in [*scores.by_kind.items(), ("all", scores.all)]:
            note = f"{len(score.ranks)} pairs"
            figures.add(f"pairs.{bank.stem}, {kind}, recall@1", score.recall_at_1, note=note)
            figures.add(f"pairs.{bank.stem}, {kind}, recall@10", score.recall_at_10, note=note)
