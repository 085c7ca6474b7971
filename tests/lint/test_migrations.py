"""A migration only expands: the code of the last release works on the schema that it leaves.

What that code uses is dropped a release later (docs/adr/0041-upgrades.md). A list names what cannot
wait, with what makes it bearable.
"""

import re
from pathlib import Path

import pytest

from shared.db.migrate import RELEASE_HEAD

_VERSIONS = Path(__file__).parents[2] / "shared" / "db" / "migrations" / "versions"
# An index may go: other statements than before are fast. Those that code infers are constraints.
_BREAKING = re.compile(
    r"\bDROP\s+(?:TABLE|COLUMN|CONSTRAINT|VIEW|FUNCTION|TRIGGER)\s+(?:IF\s+EXISTS\s+)?\w+"
    r"|\bDROP\s+NOT\s+NULL"
    r"|\bRENAME\s+(?:COLUMN\s+)?\w+\s+TO\s+\w+|\bRENAME\s+TO\s+\w+"
    r"|\bSET\s+NOT\s+NULL"
    r"|\bALTER\s+(?:COLUMN\s+)?\w+\s+(?:SET\s+DATA\s+)?TYPE\b"
    r"|\b(?:op\.)?(?:drop_column|drop_table|drop_constraint|drop_index|alter_column|rename_table)\("
    r"|\bADD\s+(?:COLUMN\s+)?(?!CONSTRAINT\b)\w+\s+(?:(?!\bDEFAULT\b)[^,;])*?(?<!IS )\bNOT\s+NULL"
    r"(?![^,;]*\bDEFAULT\b)",
    re.IGNORECASE,
)
_ALLOWED = {
    "0021 DROP CONSTRAINT uq_pro_localisations_siret_activite_principale_code_commune": (
        "the way back has it again; an establishment that moves fails in old code until the upgrade"
    ),
    "0032 RENAME COLUMN verification TO verification_description": (
        "old code imports no reviews on the new schema, and writes no synthese"
    ),
    "0032 DROP NOT NULL": "old code sets the column",
}


def _statements(path: Path) -> str:
    """Return a script without comments; its rows of Python and SQL are looked at alike."""
    return re.sub(r"(?m)(?:--|#).*$", "", path.read_text(encoding="utf-8"))


def _broken() -> set[str]:
    return {
        f"{path.name[:4]} {taken}"
        for path in [*_VERSIONS.glob("*.py"), *_VERSIONS.glob("*.sql")]
        if path.name[:4].isdigit() and path.name[:4] > RELEASE_HEAD
        for match in _BREAKING.finditer(_statements(path))
        if not _is_made_anew(taken := " ".join(match[0].split()), _statements(path))
    }


def _is_made_anew(taken: str, statements: str) -> bool:
    """Return whether a check comes back; that it lets more through is for a reader to see."""
    check = re.fullmatch(r"DROP CONSTRAINT (ck_\w+)", taken)
    return check is not None and f"ADD CONSTRAINT {check[1]}" in " ".join(statements.split())


def test_no_migration_takes_away_what_the_last_release_uses() -> None:
    assert _broken() - _ALLOWED.keys() == set()


def test_no_exception_is_left_over() -> None:
    assert _ALLOWED.keys() - _broken() == set()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE avis DROP COLUMN text",
        "ALTER TABLE avis ADD COLUMN a TEXT NOT NULL",
        "ALTER TABLE avis ADD b numeric(4) NOT NULL, ADD c integer DEFAULT 0",
        "ALTER TABLE avis ALTER COLUMN text SET NOT NULL",
        "ALTER TABLE avis ALTER COLUMN id TYPE bigint",
        "ALTER TABLE avis RENAME TO texts",
        'op.drop_column("avis", "text")',
    ],
)
def test_what_breaks_old_code_is_found(statement: str) -> None:
    assert _BREAKING.search(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE avis ADD COLUMN a TEXT",
        "ALTER TABLE avis ADD COLUMN a BOOLEAN DEFAULT false NOT NULL",
        "ALTER TABLE avis ADD a boolean NOT NULL DEFAULT false",
        "CREATE TABLE new (id BIGINT NOT NULL)",
        "CREATE INDEX ix ON avis (id)",
    ],
)
def test_what_expands_is_let_through(statement: str) -> None:
    assert not _BREAKING.search(statement)
