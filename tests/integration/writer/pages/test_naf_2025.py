"""On 1 January 2027 each activity is re-coded: no page and no text is lost, equal words stay."""

import datetime as dt

from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, pages, redirects
from tests.integration.writer.records import Record, Records

ON_TWO_SHARDS = True
_THAT_NIGHT = "2027-01-01T00:08:31"
_FETCHED_AT = dt.datetime(2027, 1, 1, 8, tzinfo=dt.UTC)


def recoded(record: Record, code: str) -> Record:
    for block in ("Etablissement", "UniteLegale"):
        holder = record["uniteLegale"] if block == "UniteLegale" else record
        holder[f"dateDernierTraitement{block}"] = _THAT_NIGHT
    record["periodesEtablissement"][0] |= {
        "activitePrincipaleEtablissement": code,
        "nomenclatureActivitePrincipaleEtablissement": "NAF2025",
    }
    return record


def test_a_re_coded_page_keeps_its_address_and_its_text(desk: Desk, records: Records) -> None:
    plumber = records.record(1, activite="43.22A")
    baker = records.record(2, activite="10.71C")
    desk.import_(plumber, baker)
    accept(desk)
    before = pages(desk)

    desk.import_(recoded(plumber, "43.22G"), recoded(baker, "10.71J"), fetched_at=_FETCHED_AT)

    after = pages(desk)
    kept = ("id", "siret", "slug", "nom", "status", "opened_at", "closed_at")
    assert [[page[name] for name in kept] for page in after] == [
        [page[name] for name in kept] for page in before
    ]
    assert sorted(page["activite_principale"] for page in after) == ["10.71J", "43.22G"]
    assert redirects(desk) == []
    texts = desk.execute("SELECT siret, outcome, text FROM avis ORDER BY siret")
    assert [(row["outcome"], row["text"]) for row in texts] == [
        ("accepted", "Un texte."),
        ("pending", "Un texte."),
    ], "the plumber's words are the same"
