"""Size of the fingerprints of 525 000 texts, and time to compare one with a big place."""

import time

import pytest
from sqlalchemy import text

from shared.db.engine import make_engine
from tests.benchmarks.figures import Figures

_ROWS = 525_000
_MOST_BYTES = 50_000_000
# Establishments of one activity in one commune, in the order in which texts are accepted.
_FILL = text("""
    INSERT INTO avis_simhashes (place, avis_id, simhash)
    SELECT (random() ^ 2 * 200000)::int * 10007 - 1000000000, id,
           (('x' || left(md5(id::text), 16))::bit(64))::bigint
    FROM generate_series(1, :rows) AS id ORDER BY random()
""")
_CROWD = text("""
    INSERT INTO avis_simhashes (place, avis_id, simhash)
    SELECT 1, id, (('x' || left(md5(id::text), 16))::bit(64))::bigint
    FROM generate_series(1, 5000) AS id
""")
_SIZE = text("""
    SELECT pg_relation_size('avis_simhashes') AS heap, pg_indexes_size('avis_simhashes') AS of_key,
           pg_total_relation_size('avis_simhashes') AS total
""")
_NEAREST = text("""
    SELECT min(bit_count((simhash # 42)::bit(64))) FROM avis_simhashes WHERE place = 1
""")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_the_fingerprints_of_all_texts_weigh_less_than_50_megabytes(
    database_url: str, figures: Figures
) -> None:
    engine = make_engine(database_url, application_name="benchmark")
    with engine.begin() as connection:
        connection.execute(_FILL, {"rows": _ROWS})
        size = connection.execute(_SIZE).one()
        connection.execute(_CROWD)
    with engine.connect() as connection:
        start = time.perf_counter()
        for _ in range(20):
            connection.execute(_NEAREST)
        crowded_ms = (time.perf_counter() - start) / 20 * 1000
    engine.dispose()
    print(  # noqa: T201  the benchmark's report
        f"\n525 000 fingerprints in random order: {size.total / 1e6:.1f} MB "
        f"(rows {size.heap / 1e6:.1f}, key {size.of_key / 1e6:.1f}); "
        f"nearest of 5 000 neighbours: {crowded_ms:.1f} ms"
    )
    figures.add("simhashes.525 000 texts", size.total / 1e6, unit="MB", goal="<= 50")
    figures.add("simhashes.nearest of 5 000", crowded_ms, unit="ms")
    assert size.total < _MOST_BYTES
