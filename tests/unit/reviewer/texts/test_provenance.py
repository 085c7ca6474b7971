"""The JSON-LD of a text says from which data, by what and by whom it was made."""

import datetime as dt
import uuid
from dataclasses import replace

from services.reviewer.french.names import shown_name
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.synthese import quotation
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.provenance import NO_IMPRINT, Imprint, json_ld
from services.reviewer.texts.rulings import Claim
from shared.sirene.facts import Facts
from shared.sirene.names.display import display_person

FACTS = Facts(siret="55210055400013", siren="552100554", nom="BOULANGERIE DE LA GARE")
CLAIM = Claim(
    avis_id=1,
    token=uuid.UUID(int=1),
    siren="552100554",
    facts=FACTS,
    facts_hash="f",
    fetched_at=dt.datetime(2026, 8, 5, 23, tzinfo=dt.UTC),
)
ATTEMPT = Attempt(
    model="mistral-small",
    prompt_version="notice-3",
    reasons=(),
    latency_seconds=1,
    text="Un texte.",
    digital_source_type="trainedAlgorithmicMedia",
)
NAME = "Boulangerie de la Gare"
PUBLISHER = {"@type": "Organization", "name": "Les Pages", "url": "https://pages.example"}
IMPRINT = Imprint("Les Pages", "https://pages.example", "https://licence.example")


def test_a_text_names_its_data_its_author_its_publisher_and_its_licence() -> None:
    told = json_ld(CLAIM, ATTEMPT, IMPRINT, name=NAME)
    assert told["@type"] == "CreativeWork", "never a Review"
    [sirene] = told["isBasedOn"]
    assert sirene["url"].startswith("https://www.data.gouv.fr/")
    assert sirene["license"].startswith("https://www.etalab.gouv.fr/")
    assert sirene["dateModified"] == "2026-08-06", "the day in France"
    assert told["creator"] == {
        "@type": "SoftwareApplication",
        "name": "mistral-small",
        "softwareVersion": "notice-3",
        "applicationCategory": "text generation",
    }
    assert (told["publisher"], told["license"]) == (PUBLISHER, "https://licence.example")
    assert told["digitalSourceType"] == "https://schema.org/TrainedAlgorithmicMediaDigitalSource"
    assert told["about"]["name"] == NAME == shown_name(FACTS)
    assert told["about"]["identifier"]["value"] == "55210055400013"


def test_an_unnamed_publisher_is_left_out() -> None:
    assert json_ld(CLAIM, ATTEMPT, NO_IMPRINT, name=NAME).keys() & {"publisher", "creator"} == {
        "creator"
    }


def test_a_text_that_a_person_edited_is_the_publishers() -> None:
    edited = replace(ATTEMPT, model="human_edited", digital_source_type="humanEdits")
    told = json_ld(CLAIM, edited, IMPRINT, name=NAME)
    assert told["creator"] == PUBLISHER
    assert told["digitalSourceType"] == (
        "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"
    )
    assert "creator" not in json_ld(CLAIM, edited, NO_IMPRINT, name=NAME)


def test_a_synthese_names_each_review_that_it_quotes() -> None:
    one, two = (
        Source.model_construct(  # type: ignore[call-arg]  # the terms of the site say nothing here
            site="Avis Exemple",
            review_id=number,
            url=f"https://reviews.example/{number}",
            licence="CC BY 4.0",
            author_label="Ada L.",
            published_on=dt.date(2026, 5, 1),
            experienced_on=dt.date(2026, 4, 1),
            updated_on=None,
            verbatim=f"Bien {number}.",
        )
        for number in ("1", "2")
    )
    synthese = replace(ATTEMPT, text=f"Un avis. {quotation(two.verbatim)}")
    told = json_ld(replace(CLAIM, sources=(one, two)), synthese, IMPRINT, name=NAME)
    assert "license" not in told, "each quotation has its own"
    [_, review] = told["isBasedOn"]
    assert review == {
        "@type": "CreativeWork",
        "url": "https://reviews.example/2",
        "identifier": "2",
        "author": {"@type": "Person", "name": "Ada L."},
        "publisher": {"@type": "Organization", "name": "Avis Exemple"},
        "license": "CC BY 4.0",
        "temporalCoverage": "2026-04-01",
        "datePublished": "2026-05-01",
    }


def test_the_name_of_a_sole_trader_is_shown_first_name_first() -> None:
    person = replace(FACTS, nom="DURAND Ada", categorie_juridique="1000")
    assert shown_name(person) == display_person("DURAND Ada")
    sign = replace(person, nom="LE FOURNIL", enseigne="LE FOURNIL")
    assert shown_name(sign) == "Le Fournil"
