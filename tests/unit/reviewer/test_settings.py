import pytest

from services.reviewer.settings import ReviewerSettings
from shared.errors import UserError
from shared.settings import load


@pytest.fixture(autouse=True)
def _urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", "postgresql://u:p@db/sirenade")
    monkeypatch.setenv("SIRENADE_BROKER_URL", "memory://")


def test_ten_generators_and_no_sole_traders_unless_told() -> None:
    settings = load(ReviewerSettings)
    assert settings.reviewer_generators == 10
    assert settings.avis_sole_traders is False


def test_every_bad_setting_is_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {
        "SIRENADE_REVIEWER_GENERATORS": "0",
        "SIRENADE_REVIEWER_HIGH_WATER": "many",
        "SIRENADE_AVIS_SOLE_TRADERS": "perhaps",
    }
    for name, value in bad.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as error:
        load(ReviewerSettings)
    for name in bad:
        assert name in str(error.value)
