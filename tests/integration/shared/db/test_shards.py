"""A database knows its shard: URLs in another order never put a unit into two databases."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from deploy.local.postgres import RunningPostgres
from shared.db.migrate import migrate_all
from shared.db.shards import require_one_database, require_shards, url_for
from shared.errors import UserError
from shared.settings import DatabaseSettings
from shared.sharding import buckets_of, route

_ADD = text("""
    INSERT INTO unites_legales (siren, statut_diffusion, content_hash, fetched_at)
    VALUES (:siren, 'O', '', now())
""")
_NEXT_AVIS_ID = text("SELECT nextval(pg_get_serial_sequence('avis', 'id'))")


@pytest.fixture(params=[2])
def urls(
    request: pytest.FixtureRequest, postgres: RunningPostgres, migrated_template: str
) -> Iterator[list[str]]:
    """Make databases without a place."""
    names = [f"place_{number}" for number in range(request.param)]
    yield [postgres.create_database(name, template=migrated_template) for name in names]
    for name in names:
        postgres.drop_database(name)


def _settings(urls: list[str], *, control: str | None = None) -> DatabaseSettings:
    alone = len(urls) == 1 and control is None
    return DatabaseSettings(
        database_url=SecretStr(control or urls[0]),
        shard_database_urls=SecretStr("" if alone else ",".join(urls)),
    )


def _add_units(urls: list[str], *, shards: int) -> None:
    """Insert each unit into the database that holds it."""
    for siren in (f"{number:09d}" for number in range(20)):
        engine = create_engine(urls[route(siren, shards)])
        with engine.begin() as connection:
            connection.execute(_ADD, {"siren": siren})
        engine.dispose()


def _next_id(url: str) -> int:
    engine = create_engine(url)
    with engine.begin() as connection:
        found: int = connection.execute(_NEXT_AVIS_ID).scalar_one()
    engine.dispose()
    return found


def test_places_are_taken_once_and_hold_for_every_start_after_it(urls: list[str]) -> None:
    pair, swapped = _settings(urls), _settings(urls[::-1])
    with pytest.raises(UserError, match=r"shard 0 of 2 is another one's.*migrate"):
        require_shards(pair)
    migrate_all(pair)
    require_shards(pair)
    for wrong in (swapped, _settings(urls[:1])):
        with pytest.raises(UserError, match="is another one's"):
            require_shards(wrong)
    _add_units(urls, shards=2)
    migrate_all(pair)
    with pytest.raises(UserError, match="shard 0 of 2 holds units of other shards"):
        migrate_all(swapped)
    require_shards(pair)


def test_a_register_is_split_by_moving_half_of_its_buckets(urls: list[str]) -> None:
    """Move rows by the bucket of the siren, computed by the server (docs/adr/0011-shards.md)."""
    pair = _settings(urls)
    _add_units(urls, shards=1)
    first_id = _next_id(urls[0])
    with pytest.raises(UserError, match="shard 0 of 2 holds units of other shards"):
        migrate_all(pair)
    with pytest.raises(UserError, match="the control database holds units"):
        migrate_all(_settings(urls[1:], control=urls[0]))

    half = buckets_of(1, 2)
    in_half = f"get_byte(sha256(siren::bytea), 0) % 64 BETWEEN {half[0]} AND {half[-1]}"
    old, new = create_engine(urls[0]), create_engine(urls[1])
    with old.begin() as source, new.begin() as target:
        moved = source.execute(
            text(f"DELETE FROM unites_legales WHERE {in_half} RETURNING siren")
        ).scalars()
        for siren in moved:
            target.execute(_ADD, {"siren": siren})
    old.dispose()
    new.dispose()
    migrate_all(pair)
    require_shards(pair)
    assert _next_id(urls[0]) == first_id + 1
    assert _next_id(urls[1]) > 2**40, "an id of the new shard was never one of the old"


@pytest.mark.slow
@pytest.mark.parametrize("urls", [4], indirect=True)
def test_twice_as_many_shards_keep_the_ids_that_they_had(urls: list[str]) -> None:
    migrate_all(_settings(urls[:2]))
    ids = {_next_id(url) for url in urls[:2]}
    # Shard 1 of 2 became shard 2 of 4, with the same first bucket.
    migrate_all(_settings([urls[0], urls[2], urls[1], urls[3]]))
    assert ids.isdisjoint({_next_id(url) for url in urls})


def test_what_needs_the_whole_register_refuses_a_part_of_it() -> None:
    urls = [f"postgresql://nobody@localhost/{name}" for name in "ab"]
    require_one_database(_settings(urls[:1]))
    for apart in (_settings(urls), _settings(urls[1:], control=urls[0])):
        with pytest.raises(UserError, match="needs the register in one database"):
            require_one_database(apart)


def test_a_unit_is_looked_up_where_it_is() -> None:
    urls = [f"postgresql://nobody@localhost/{name}" for name in "ab"]
    for siren in ("306138900", "552100554"):
        assert url_for(_settings(urls), siren) == urls[route(siren, 2)]
    assert url_for(_settings(urls[:1]), "552100554") == urls[0]
