"""The route of a unit never changes: its rows would be lost."""

import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

from shared.db.tables import metadata
from shared.sharding import BUCKETS, SHARD_TABLES, bucket_of, buckets_of, route
from shared.sirene.identifiers import has_valid_check_digit

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "fixtures" / "insee" / "etablissements.jsonl"
COUNTS = [1, 2, 4, 8, 16, 32, 64]

PINNED = {
    "000000000": 49,
    "005520135": 43,
    "306138900": 3,
    "356000000": 31,
    "552100554": 61,
    "999999999": 59,
}


def sirens(number: int) -> list[str]:
    """Return sirens like INSEE's: consecutive numbers with their check digit."""
    units = [
        next(siren for digit in range(10) if has_valid_check_digit(siren := f"{first}{digit}"))
        for first in range(80_000_000, 80_000_000 + number)
    ]
    assert len(set(units)) == number
    return units


def test_a_unit_is_in_the_same_bucket_for_ever() -> None:
    assert {siren: bucket_of(siren) for siren in PINNED} == PINNED


@pytest.mark.parametrize("seed", ["0", "1"])
def test_every_process_routes_alike(seed: str) -> None:
    script = "import sys; from shared.sharding import bucket_of; print(bucket_of(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", script, "552100554"],
        cwd=ROOT,
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == PINNED["552100554"]


def test_one_shard_holds_everything() -> None:
    assert {route(siren, 1) for siren in PINNED} == {0}


@pytest.mark.parametrize("shards", COUNTS)
def test_each_bucket_has_one_shard(shards: int) -> None:
    owned = [bucket for shard in range(shards) for bucket in buckets_of(shard, shards)]
    assert owned == list(range(BUCKETS))
    for siren in PINNED:
        assert bucket_of(siren) in buckets_of(route(siren, shards), shards)


def test_twice_as_many_shards_split_each_in_two() -> None:
    for fewer, more in itertools.pairwise(COUNTS):
        for siren in sirens(200):
            assert route(siren, more) // 2 == route(siren, fewer)


def test_the_buckets_of_consecutive_sirens_are_even() -> None:
    filled = Counter(map(bucket_of, sirens(16_000)))
    assert len(filled) == BUCKETS
    # The bound is four standard deviations of 16 000 throws of a die with 64 sides.
    assert all(abs(units - 250) < 4 * 15.7 for units in filled.values()), filled


def test_recorded_units_are_spread_over_two_shards() -> None:
    units = {orjson.loads(line)["siren"] for line in RECORDED.read_bytes().splitlines()}
    filled = Counter(route(siren, 2) for siren in units)
    assert min(filled.values()) > len(units) / 5, filled


def test_every_table_that_names_a_unit_has_its_place() -> None:
    """A table with a siren is in the shards, or is one of these, which hold work, not people."""
    control = {"dead_letters"}
    named = {
        table.name
        for table in metadata.sorted_tables
        if {"siren", "siret", "avis_id"} & set(table.columns.keys())
    }
    assert named - control <= SHARD_TABLES
    assert set(metadata.tables) >= SHARD_TABLES
