"""The feed tells what changed, once and in order, and of an erasure the number alone."""

from typing import Any
from xml.etree import ElementTree as ET

from services.portal.api import models
from tests.integration.portal.api.directory import Directory, Reader, siret

ON_TWO_SHARDS = True

_ERASE = """
    UPDATE etablissements SET statut_diffusion = 'P' WHERE siret = :siret;
    UPDATE pro_localisations SET nom = NULL, nom_source = NULL, slug = 'x-' || siret
    WHERE siret = :siret
"""


def _follow(reader: Reader, since: str | None = None, **query: Any) -> tuple[list[Any], str]:
    """Return all changes, and the place behind them."""
    found: list[Any] = []
    while True:
        if since is not None:
            query["depuis"] = since
        answer = reader.json("/api/v1/changements", **query)
        models.ChangementsReponse.model_validate(answer)
        since = answer["suite"]
        if not answer["changements"]:
            return found, since
        found += answer["changements"]


def test_changes_are_told_once_and_in_order(directory: Directory, reader: Reader) -> None:
    for number in range(1, 6):
        directory.add(number)
    found, place = _follow(reader, limite=2)
    if len(directory.shards) == 1:
        assert [each["siret"] for each in found] == [siret(number) for number in range(1, 6)]
    assert sorted((each["genre"], each["siret"]) for each in found) == [
        ("opened", siret(number)) for number in range(1, 6)
    ]
    directory.execute(
        "UPDATE pro_localisations SET status = 'closed' WHERE siret = :siret", siret=siret(3)
    )
    later, _ = _follow(reader, place)
    assert [(each["genre"], each["siret"]) for each in later] == [("closed", siret(3))]


def test_an_erasure_is_told_by_number_and_hides_what_was_told_before(
    directory: Directory, reader: Reader
) -> None:
    directory.add(1)
    directory.execute(_ERASE, siret=siret(1))
    found, _ = _follow(reader)
    assert [each["genre"] for each in found] == ["erased"]
    assert found[0]["page"] is None
    assert "dupont" not in str(found).lower()


def test_whoever_has_all_is_told_when_to_come_again(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    answer = reader.get("/api/v1/changements", depuis="fin")
    assert answer.json()["changements"] == []
    assert int(answer.headers["Retry-After"]) > 0
    directory.add(2)
    found, _ = _follow(reader, answer.json()["suite"])
    assert [each["siret"] for each in found] == [siret(2)]


def test_a_place_that_is_kept_no_more_is_gone(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    _, place = _follow(reader)
    directory.execute("DELETE FROM page_changes")
    answer = reader.get("/api/v1/changements", depuis=place)
    assert (answer.status_code, answer.json()["type"]) == (410, "/problemes/curseur-perdu")


def test_a_place_that_is_none_is_refused(reader: Reader) -> None:
    for place in ("x", "1", "1.2~3.4~5.6~7.8", "9999999999999999999.1", "-1.2"):
        assert reader.get("/api/v1/changements", depuis=place).status_code == 400


def test_the_same_changes_are_a_feed(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    directory.add(2)
    directory.execute(_ERASE, siret=siret(2))
    answer = reader.get("/api/v1/changements.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    names = {"a": "http://www.w3.org/2005/Atom"}
    root = ET.fromstring(answer.content)  # noqa: S314  our own
    entries = root.findall("a:entry", names)
    titles = [entry.findtext("a:title", "", names) for entry in entries]
    assert set(titles) == {f"Page ouverte : {siret(1)}", f"Données effacées : {siret(2)}"}
