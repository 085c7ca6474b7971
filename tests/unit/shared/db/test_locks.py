import re
from pathlib import Path

from shared.db.locks import Lock, LockFamily

ROOT = Path(__file__).parents[4]
_CALL = re.compile(r"pg_(try_)?advisory", re.IGNORECASE)
_OF_A_SESSION = re.compile(r"pg_(try_)?advisory_(un)?lock", re.IGNORECASE)


def test_no_two_locks_have_the_same_key() -> None:
    keys = [*Lock.__members__.values(), *LockFamily.__members__.values()]
    assert len(set(keys)) == len(keys)


def test_keys_stay_for_replicas_of_other_versions() -> None:
    assert {lock.name: int(lock) for lock in (*Lock, *LockFamily)} == {
        "MIGRATION": 0x514EADE0,
        "REGISTER": 0x514E0E5A,
        "BATCH_ROOM": -594_859_101,
        "REPAIRS": 1_715_202_089,
        "IMPORTS": -118_807_487,
        "DELTAS": -1_135_846_284,
        "RETRIES": 1_353_470_563,
        "TRADES": 0x514E7ADE,
        "AVIS_ORDERS": 0x514E0DE5,
        "SEARCH_PREFIXES": 0x514E9FE5,
        "CONTEXTS": 0x514EC07E,
        "SIREN": 0x514E,
        "SLICE_EDGE": 0x514F,
        "PLACE": 0x5349,
        "TEXT_ORDERS": 0x534F,
    }


def test_the_keys_fit_their_types() -> None:
    assert all(-(2**63) <= lock < 2**63 for lock in Lock)
    assert all(-(2**31) <= family < 2**31 for family in LockFamily)


def test_no_other_module_names_an_advisory_lock() -> None:
    modules = [path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")]
    found = [path for path in modules if _CALL.search(path.read_text())]
    assert found == [ROOT / "shared/db/locks.py"]


def test_no_lock_outlives_its_transaction() -> None:
    """A frozen process would hold it for ever: what lasts longer has a lease."""
    modules = [path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")]
    assert not [path for path in modules if _OF_A_SESSION.search(path.read_text())]
