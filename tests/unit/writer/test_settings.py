import pytest

from services.writer.settings import WriterSettings
from shared.errors import UserError
from shared.settings import load


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WriterSettings.model_fields:
        monkeypatch.delenv(f"SIRENADE_{name.upper()}", raising=False)


def test_defaults_write_about_no_sole_trader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", "postgresql://x/y")
    monkeypatch.setenv("SIRENADE_BROKER_URL", "memory://")
    settings = load(WriterSettings)
    assert (settings.writer_threads, settings.avis_sole_traders) == (2, False)


def test_every_problem_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRENADE_WRITER_THREADS", "0")
    monkeypatch.setenv("SIRENADE_AVIS_SOLE_TRADERS", "perhaps")
    with pytest.raises(UserError) as raised:
        load(WriterSettings)
    for name in ("DATABASE_URL", "BROKER_URL", "WRITER_THREADS", "AVIS_SOLE_TRADERS"):
        assert f"SIRENADE_{name}" in str(raised.value)
