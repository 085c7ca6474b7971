"""Relevance and cost of searches by name, of suggestions and of lists, over names drawn anew.

CPU is of this process and of PostgreSQL together, the least of three rounds. pg_trgm answers the
same pairs in the same database; a read of 200 rows by key is what the machine makes of one.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from services.portal.search.engine import Filters, Near, Search
from tests.benchmarks.figures import Figures
from tests.benchmarks.portal import cpu
from tests.benchmarks.portal.cpu import Cost, percentile
from tests.benchmarks.portal.made_pairs import Page, Pair, make_pairs
from tests.benchmarks.portal.names import telling, words
from tests.benchmarks.portal.register import pages_of, some_pages
from tests.benchmarks.portal.scores import Scores
from tests.benchmarks.portal.searched import Searched, site_of
from tests.benchmarks.sizes import pick

_PAGES = int(
    os.environ.get(
        "SIRENADE_BENCHMARK_SEARCH_ROWS", pick(quick=10_000, normal=100_000, full=1_000_000)
    )
)
# An index of trigrams of more rows takes longer than all the rest.
_MOST_BY_TRIGRAMS = 1_000_000
_EACH = pick(quick=5, normal=25)
_ASKED = pick(quick=30, normal=200)
_BY_TRIGRAMS = pick(quick=12, normal=60)
# The cost of trigrams grows with the rows, a search by words costs the same.
_OF_TRIGRAMS = pick(quick=None, normal="<= 0.1")
_SEED = 3
_KEYS = 200
_CITIES = (
    *((48.857, 2.352), (45.758, 4.835), (43.296, 5.370), (43.604, 1.444), (43.700, 7.268)),
    *((47.218, -1.553), (48.573, 7.752), (43.611, 3.877), (44.838, -0.579), (50.629, 3.057)),
)
_TRIGRAMS = """
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE TABLE benchmark_documents AS
      SELECT pro_localisation_id AS id, rank,
        lower(concat_ws(' ', nom, names, libelle_commune)) AS document FROM search_entries;
    CREATE INDEX ON benchmark_documents USING gin (document gin_trgm_ops);
    ANALYZE benchmark_documents
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600 + _PAGES // 500)]


site = site_of("benchmark_search", pages=_PAGES)


@pytest.fixture(scope="module")
def pages(site: Searched) -> Sequence[Page]:
    return some_pages(site.connection, 200 * _EACH)


@pytest.fixture(scope="module")
def pairs(pages: Sequence[Page]) -> Sequence[Pair]:
    return make_pairs(pages, each=_EACH, seed=_SEED)


def _score(site: Searched, pairs: Sequence[Pair], ids: Callable[[str], Sequence[int]]) -> Scores:
    scores = Scores()
    for pair in pairs:
        found = pages_of(site.connection, ids(pair.query))
        if scores.add(pair.kind, map(pair.accepts, found)) is None:
            print(f"  missed: {pair.kind}: {pair.query}")  # noqa: T201  a benchmark's result
    print("\n".join(scores.lines()))  # noqa: T201  as above
    return scores


def _told(name: str, costs: Sequence[Cost]) -> str:
    spent = [cost.cpu_ms for cost in costs]
    shares = ", ".join(f"p{share * 100:.0f} {percentile(spent, share):.2f}" for share in _SHARES)
    print(f"{name}: CPU ms {shares}")  # noqa: T201  a benchmark's result
    return shares


_SHARES = (0.5, 0.95, 0.99)


def _p95(costs: Sequence[Cost]) -> float:
    return percentile([cost.cpu_ms for cost in costs], 0.95)


def test_what_is_meant_is_found_first(
    site: Searched, pairs: Sequence[Pair], figures: Figures
) -> None:
    scores = _score(site, pairs, lambda query: [hit.id for hit in site.find(Search(q=query)).hits])
    whole, note = scores.all, f"{len(pairs)} pairs, {_PAGES} pages"
    figures.add("search.recall@10", whole.recall_at_10, goal=">= 0.97", note=note)
    figures.add("search.recall@1", whole.recall_at_1, goal=">= 0.95", note=note)
    figures.add("search.MRR", whole.mean_reciprocal_rank, goal=">= 0.96", note=note)
    worst, score = min(scores.by_kind.items(), key=lambda item: item[1].recall_at_10)
    figures.add("search.recall@10, worst kind", score.recall_at_10, goal=">= 0.90", note=worst)


def test_a_search_by_name_costs_little(
    site: Searched, pairs: Sequence[Pair], figures: Figures
) -> None:
    costs = site.costs([partial(site.find, Search(q=pair.query)) for pair in pairs])
    spent = [cost.cpu_ms for cost in costs]
    note = _told("by name", costs)
    figures.add("search.CPU, p95", _p95(costs), unit="ms", goal="<= 8", note=note)
    figures.add("search.CPU, p99", percentile(spent, 0.99), unit="ms", goal="<= 20")
    wall = percentile([cost.wall_ms for cost in costs], 0.95)
    figures.add("search.wall clock, p95", wall, unit="ms", goal="<= 15", note="of an idle machine")
    by_key = _by_key(site)
    figures.add("search.CPU, median, of 200 rows by key", percentile(spent, 0.5) / by_key)


def _by_key(site: Searched) -> float:
    """Return the median CPU of a read of 200 rows by their keys, in milliseconds."""
    with site.connection.cursor() as cursor:
        cursor.execute(
            "SELECT pro_localisation_id FROM search_entries ORDER BY md5(siret) LIMIT %s",
            (20 * _KEYS,),
        )
        ids = [id_ for (id_,) in cursor.fetchall()]
        pid = [site.connection.info.backend_pid]

        def read(at: int) -> None:
            keys = ids[at : at + _KEYS]
            cursor.execute(
                "SELECT * FROM search_entries WHERE pro_localisation_id = ANY(%s)", (keys,)
            )
            cursor.fetchall()

        costs = [cpu.cheapest(partial(read, at), pid, rounds=3) for at in range(0, len(ids), _KEYS)]
    _told("200 rows by key", costs)
    return percentile([cost.cpu_ms for cost in costs], 0.5)


def test_a_row_and_a_query_cost_so_much_at_this_size(
    site: Searched, pairs: Sequence[Pair], figures: Figures
) -> None:
    """It prints a line of the table in docs/benchmarks.md that shows how both grow."""
    entries = site.number("SELECT count(*) FROM search_entries")
    sizes = [
        site.number(f"SELECT {size}('{name}')") / entries
        for size, name in (
            ("pg_total_relation_size", "search_entries"),
            ("pg_relation_size", "ix_search_entries_terms"),
            ("pg_total_relation_size", "search_lexemes"),
        )
    ]
    costs = site.costs([partial(site.find, Search(q=pair.query)) for pair in pairs])
    spent = [cost.cpu_ms for cost in costs]
    wall = percentile([cost.wall_ms for cost in costs], 0.95)
    cells = [
        *(f"{value:.0f}" for value in (entries, *sizes)),
        *(f"{value:.2f}" for value in (*(percentile(spent, share) for share in _SHARES), wall)),
    ]
    print(f"\n| {' | '.join(cells)} |")  # noqa: T201  a benchmark's result
    figures.add("search.bytes of an entry", sum((sizes[0], sizes[2])), unit="bytes", note=cells[0])


def test_trigrams_cost_more_and_find_less(
    site: Searched, pairs: Sequence[Pair], figures: Figures
) -> None:
    if _PAGES > _MOST_BY_TRIGRAMS:
        pytest.skip(f"trigrams of more than {_MOST_BY_TRIGRAMS} rows")
    asked = pairs[:: max(len(pairs) // _BY_TRIGRAMS, 1)]
    ours = site.costs([partial(site.find, Search(q=pair.query)) for pair in asked])
    with site.connection.cursor() as cursor:
        cursor.execute(_TRIGRAMS)
        cursor.execute(
            "SET pg_trgm.word_similarity_threshold = 0.5;"
            " SET max_parallel_workers_per_gather = 0; SET random_page_cost = 1.1"
        )

        def find(query: str) -> list[int]:
            text = " ".join(words(query))
            cursor.execute(
                "SELECT id FROM benchmark_documents WHERE %s <%% document"
                " ORDER BY %s <<-> document, rank DESC LIMIT 10",
                (text, text),
            )
            return [id_ for (id_,) in cursor.fetchall()]

        found = _score(site, asked, find).all
        pid = [site.connection.info.backend_pid]
        theirs = [cpu.cheapest(partial(find, pair.query), pid, rounds=1) for pair in asked]
    note = f"{_told('pg_trgm', theirs)}; recall@10 {found.recall_at_10:.2f}"
    figures.add("search.CPU, p95, of pg_trgm", _p95(ours) / _p95(theirs), goal="<= 0.1", note=note)


def test_suggestions_places_lists_and_cursors_cost_little(
    site: Searched, pages: Sequence[Page], figures: Figures
) -> None:
    asked = pages[:_ASKED]
    letters = [telling(page.name)[0][:3] for page in asked]
    communes = [Filters(code_commune=(page.code_commune,)) for page in asked]
    departements = [Filters(departement=(page.code_commune[:2],)) for page in asked]
    calls: dict[str, list[Callable[[], object]]] = {
        "suggestion": [partial(site.suggest, q) for q in letters],
        "number": [partial(site.find, Search(q=page.siret)) for page in asked],
        "filter": [partial(site.find, Search(filters=each, limit=20)) for each in communes],
        "place": [
            partial(site.find, Search(near=Near(*city, radius_km=km), order="distance"))
            for city in _CITIES
            for km in (1.0, 5.0, 50.0)
        ],
        "cursor": [
            partial(site.find, _fifth_page(site, each)) for each in dict.fromkeys(departements)
        ],
    }
    for name, each in calls.items():
        costs = site.costs(each)
        goal = "<= 15" if name == "suggestion" else "<= 5"
        figures.add(
            f"search.{name}, CPU, p95", _p95(costs), unit="ms", goal=goal, note=_told(name, costs)
        )


def _fifth_page(site: Searched, filters: Filters) -> Search:
    search = Search(filters=filters, limit=25)
    for _ in range(4):
        following = site.find(search).next
        if following is None:
            break
        search = Search(filters=filters, limit=25, after=following)
    return search
