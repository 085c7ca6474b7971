"""Terms are written in the query language of Elasticsearch."""

from services.portal.elasticsearch.documents import document_of
from services.portal.elasticsearch.queries import clause_of, search_body
from services.portal.search.conditions import Circle
from services.portal.search.terms import AllOf, AnyOf, Lexeme, NoneOf
from shared.search.entries import UNKNOWN_DATE, SearchEntry

_ENTRY = SearchEntry(
    pro_localisation_id=7,
    siret="00000000100001",
    siren="000000001",
    nom="BOULANGERIE DUPONT",
    names="LE FOURNIL",
    person=False,
    libelle_commune="Pau",
    code_postal="64000",
    code_commune="64445",
    activite_principale="10.71C",
    departement="64",
    region="75",
    open=True,
    siege=False,
    tranche_effectifs=None,
    categorie_juridique=None,
    date_creation=UNKNOWN_DATE,
    rank=3,
    x=None,
    y=None,
)


def _constant(kind: str, field: str, word: str, boost: float) -> object:
    return {"constant_score": {"filter": {kind: {field: {"value": word}}}, "boost": boost}}


def test_a_word_weighs_by_where_it_stands() -> None:
    name, place = _constant("term", "names", "pau", 1.0), _constant("term", "place", "pau", 0.3)
    assert clause_of(Lexeme("pau")) == {"dis_max": {"queries": [name, place]}}
    assert clause_of(Lexeme("pau", "A")) == name
    assert clause_of(Lexeme("pa", "A", is_prefix=True)) == _constant("prefix", "names", "pa", 1.0)
    assert clause_of(Lexeme("d=64")) == _constant("term", "filters", "d=64", 0.05)


def test_terms_are_combined() -> None:
    one, two = Lexeme("d=64"), Lexeme("pau", "C")
    assert clause_of(NoneOf(one)) == {"bool": {"must_not": [clause_of(one)]}}
    assert clause_of(AllOf([one, two])) == {"bool": {"must": [clause_of(one), clause_of(two)]}}
    either = {"dis_max": {"queries": [clause_of(one), clause_of(two)]}}
    assert clause_of(AnyOf([one, two])) == either


def test_of_many_rows_the_largest_come_first() -> None:
    few = search_body(Lexeme("pau"), None, 200, estimated=10)
    many = search_body(Lexeme("pau"), None, 200, estimated=10_000)
    assert [*few["sort"][0]] == ["_score"]
    assert [*many["sort"][0]] == ["rank"]
    assert few["_source"] is False


def test_a_circle_that_no_plane_has_holds_nothing() -> None:
    body = search_body(Lexeme("pau"), Circle(None, None, 0), 200, estimated=10)
    assert body["query"]["bool"]["filter"] == [{"match_none": {}}]


def test_a_document_has_words_and_no_name_as_it_is_written() -> None:
    document = document_of(_ENTRY)
    assert document["names"] == ["boulangerie", "dupont", "le", "fournil"]
    assert document["place"] == ["pau", "64000"]
    assert "n=10.71C" in document["filters"]
    assert "DUPONT" not in str(document)
    assert "00000000100001" not in str(document)


def test_a_digest_tells_documents_apart() -> None:
    digest = document_of(_ENTRY)["digest"]
    assert document_of(_ENTRY)["digest"] == digest
    assert document_of(_ENTRY._replace(nom="BOULANGERIE DURAND"))["digest"] != digest
    assert document_of(_ENTRY._replace(rank=4))["digest"] != digest
