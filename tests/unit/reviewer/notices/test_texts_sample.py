"""The page of samples is what the command makes, and each of its texts may be published."""

from services.reviewer.validation import validate
from tests.unit.reviewer.notices.texts_sample import PAGE, page, texts


def test_the_page_equals_what_the_command_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make texts-sample`"


def test_the_samples_are_sixty_over_all_sections_of_the_naf() -> None:
    sections = {row.split("|")[2][:2] for row, _, _ in texts()}
    assert len(list(texts())) == 60
    assert len(sections) > 40


def test_every_sample_passes_the_validator() -> None:
    refused = {
        text: reasons for _, facts, text in texts() if (reasons := validate(text, facts).reasons)
    }
    assert refused == {}
