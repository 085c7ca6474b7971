"""A register of as many pages as a benchmark wants, loaded from stock files.

The simulator's stock repeats few establishments under other SIRENs. Here each repeated unit gets
names of its own: the words with a long tail are drawn anew, the same in all rows of the unit.
"""

import csv
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from psycopg2.extensions import connection as Connection  # noqa: N812  a class, named as one

from services.simulator.generation import mots
from services.simulator.generation.dice import Dice
from services.simulator.options import SimulatorOptions
from services.simulator.register.stock_files import write_stock
from services.writer.stock import command
from services.writer.stock.loader import StockOptions
from tests.benchmarks.portal.made_pairs import Page
from tests.benchmarks.portal.names import words

_DISTINCT = 20_000
_TOLD_EVERY_SECONDS = 10.0
_PAGES_OF_TEN = 7
"""The number of the simulator's establishments, of ten, that are open and have a page."""
_NAMED = (
    *("denominationUniteLegale", "nomUniteLegale", "nomUsageUniteLegale"),
    *(f"denominationUsuelle{number}UniteLegale" for number in (1, 2, 3)),
    *(f"enseigne{number}Etablissement" for number in (1, 2, 3)),
    "denominationUsuelleEtablissement",
)


def load_register(url: str, folder: Path, *, pages: int) -> None:
    """Fill an empty database with units, establishments and about `pages` pages."""
    options = SimulatorOptions(establishments=pages * 10 // _PAGES_OF_TEN)
    files = write_stock(folder, options, distinct=_DISTINCT)
    paths = [file.path for file in files.values()]
    for file in files.values():
        _draw_names_anew(file.path, file.rows)
    command.load(url, [str(path) for path in paths], StockOptions())
    for path in paths:
        path.unlink()


def _draw_names_anew(path: Path, rows: int) -> None:
    written = path.with_suffix(".named")
    with (
        path.open(encoding="utf-8", newline="") as lines,
        written.open("w", encoding="utf-8", newline="") as named,
    ):
        reader, writer = csv.reader(lines), csv.writer(named, lineterminator="\n")
        header = next(reader)
        writer.writerow(header)
        columns = [at for at, name in enumerate(header) if name in _NAMED]
        begun = told = time.monotonic()
        for number, row in enumerate(reader):
            if (now := time.monotonic()) - told > _TOLD_EVERY_SECONDS:
                told, left = now, (now - begun) * (rows - number) / number
                sys.stdout.write(
                    f"{path.name}: names of {number} of {rows} rows, {left:.0f} s left\n"
                )
            for at in columns:
                if row[at]:
                    row[at] = _redrawn(row[at], int(row[0]))
            writer.writerow(row)
    written.replace(path)


def _redrawn(name: str, siren: int) -> str:
    return " ".join(
        mots.draw(Dice(0, word, siren)) if word in _tail() else word for word in name.split(" ")
    )


@cache
def _tail() -> frozenset[str]:
    return frozenset(map(mots.word, range(mots.RANKS)))


_PAGES = """
SELECT p.id, p.siret, p.nom, p.libelle_commune, p.code_commune, e.code_postal,
  array_remove(ARRAY[e.enseigne1, e.enseigne2, e.enseigne3, e.denomination_usuelle, u.denomination,
    u.denomination_usuelle1, u.denomination_usuelle2, u.denomination_usuelle3, u.sigle,
    coalesce(u.prenom_usuel, u.prenom1) || ' ' || coalesce(u.nom_usage, u.nom)], NULL)
FROM pro_localisations p JOIN etablissements e USING (siret) JOIN unites_legales u
  ON u.siren = p.siren
"""


def some_pages(connection: Connection, number: int) -> list[Page]:
    """Draw open pages with a name and a commune, always the same of the same register."""
    return _pages(
        connection,
        _PAGES
        + "WHERE p.status = 'open' AND p.nom IS NOT NULL AND p.libelle_commune IS NOT NULL"
        + " ORDER BY md5(p.siret) LIMIT %s",
        number,
    )


def pages_of(connection: Connection, ids: Sequence[int]) -> list[Page]:
    """Return the pages of these ids, in their order."""
    found = {page.id: page for page in _pages(connection, _PAGES + "WHERE p.id = ANY(%s)", ids)}
    return [found[id_] for id_ in ids if id_ in found]


def _pages(connection: Connection, statement: str, argument: object) -> list[Page]:
    with connection.cursor() as cursor:
        cursor.execute(statement, (argument,))
        return [
            Page(id_, siret, (nom, *others), commune or "", code, code_postal)
            for id_, siret, nom, commune, code, code_postal, others in cursor.fetchall()
            if nom and words(nom)
        ]
