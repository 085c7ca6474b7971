"""The page of settings says what the code says."""

from itertools import chain

from pydantic_settings import BaseSettings

from deploy.manual.settings_page import PAGE, settings_page


def _classes(base: type[BaseSettings]) -> set[type[BaseSettings]]:
    return {base}.union(*(_classes(each) for each in base.__subclasses__()))


def test_the_page_is_as_the_code_makes_it() -> None:
    assert PAGE.read_text("utf-8") == settings_page(), "run make manual"


def test_every_setting_is_on_the_page_with_its_meaning() -> None:
    ours = {
        each
        for each in _classes(BaseSettings)
        if each.__module__.startswith(("shared.", "services."))
        and not each.__module__.startswith("services.simulator")
    }
    named = set(chain.from_iterable(each.model_fields for each in ours))
    page = settings_page()
    assert {name for name in named if f"`SIRENADE_{name.upper()}`" not in page} == set()
    assert "| None" not in page
