"""A register in several databases is searched as one."""

from collections.abc import Iterator

import pytest

from services.portal.search.engine import Filters, Near
from shared.db.engine import make_engine
from shared.sharding import route
from tests.integration.portal.search.conftest import Finder, Shard
from tests.integration.portal.search.invented import invent, store


@pytest.fixture
def spread(shard_urls: tuple[str, ...]) -> Iterator[Finder]:
    """Return a finder in a register of which each shard has its own part."""
    invented = invent(120)
    engines = [make_engine(url, application_name="tests", pool_size=3) for url in shard_urls]
    parts = [
        [each for each in invented if route(each.siret[:9], len(engines)) == number]
        for number in range(len(engines))
    ]
    assert all(parts)
    for engine, part in zip(engines, parts, strict=True):
        store(engine, part)
    shards = [Shard(engine) for engine in engines]
    yield Finder(shards, invented)
    for shard, engine in zip(shards, engines, strict=True):
        shard.session.close()
        engine.dispose()


@pytest.mark.parametrize("shard_urls", [2], indirect=True)
def test_shards_are_searched_as_one(spread: Finder) -> None:
    everything = set(spread.invented)
    walked = spread.walk(filters=Filters(etat="A"), limit=7)
    assert len(walked) == len(set(walked))
    assert set(walked) == everything
    garages = {each.siret for each in spread.invented.values() if each.nom.startswith("GARAGE")}
    assert set(spread.walk("garage", limit=7)) == garages
    near = Near(44.8378, -0.5792, radius_km=50)
    nearby = [hit.distance_m for hit in spread.find(near=near, limit=25).hits]
    assert nearby == sorted(nearby)  # type: ignore[type-var]  # none is None
    for each in list(spread.invented.values())[:10]:
        assert spread.sirets(each.siret) == [each.siret]
        assert spread.sirets(f"{each.nom} {each.commune[4]}")[0] == each.siret
        assert each.nom in spread.suggested(each.nom.split()[1][:4])
    found = spread.find(facets=["etat"])
    assert (found.total, dict(found.facets["etat"])) == (120, {"A": 120})
