"""The reviewer as it is built, with a file of providers, against llmock's limits and faults."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from services.reviewer.main import build
from services.reviewer.providers.prompt import read_prompt
from services.reviewer.settings import ReviewerSettings
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import UserError
from shared.metrics import Metrics
from tests.integration.conftest import WaitFor
from tests.integration.reviewer.chat_server import phrases
from tests.integration.reviewer.llmock_server import GOOD_REPLY, Llmock, llmock_server
from tests.integration.reviewer.reviewers import nothing_pending, reviewer_at_work

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

COUNT = 60
_PROVIDER = "[[provider]]\nname='p'\nbase_url='http://h/v1'\nmodel='m'\n"
_PRICED = _PROVIDER + "{}\nprice.input_eur_per_million = 0\nprice.output_eur_per_million = 0\n"

ReviewAll = Callable[..., None]


@pytest.fixture(scope="module")
def llmock() -> Iterator[Llmock]:
    with llmock_server() as server:
        yield server


def write_providers(path: Path, llmock: Llmock, **settings: Any) -> Path:
    values = {"name": "llmock", "base_url": llmock.base_url, "model": "m", **settings}
    lines = (f"{name} = {value!r}" for name, value in values.items())
    price = "price = { input_eur_per_million = 0, output_eur_per_million = 0 }\n"
    path.write_text("[[provider]]\n" + "\n".join(lines) + f"\n{price}")
    return path


@pytest.fixture
def review_all(
    register: "Register", database_url: str, metrics: Metrics, wait_for: WaitFor
) -> ReviewAll:
    """Run the service until no avis is pending."""

    def run(file: Path, **settings: Any) -> None:
        values = {"avis_providers_file": file, "reviewer_generators": 20, **settings}
        with reviewer_at_work(database_url, metrics, **values):
            wait_for(lambda: nothing_pending(register), seconds=100)

    return run


def vary(register: "Register") -> None:
    """Give each establishment a year of its own, so that llmock can tell their prompts apart."""
    register.execute(
        "UPDATE etablissements SET date_creation = date '1901-06-01'"
        " + make_interval(years => CAST(siren AS integer))"
    )


def models(register: "Register") -> Counter[str]:
    rows = register.rows("SELECT model FROM avis WHERE outcome = 'accepted'")
    return Counter(row["model"] for row in rows)


def test_every_due_avis_is_written_by_the_model_through_limits_and_errors(
    register: "Register", review_all: ReviewAll, metrics: Metrics, llmock: Llmock, tmp_path: Path
) -> None:
    llmock.reset()
    register.add(range(1, COUNT + 1), apart=True)
    vary(register)
    llmock.expect(
        GOOD_REPLY,
        {"type": "fail", "status": 429, "retry_after": 1, "times": 5},
        {"type": "fail", "status": 500, "times": 1},
        {"type": "fail", "status": 503, "times": 1},
    )
    file = write_providers(tmp_path / "providers.toml", llmock)
    review_all(file)
    assert models(register) == {"m": COUNT}
    verdict = llmock.verdict()
    assert verdict["findings"] == [], verdict
    rows = register.rows("SELECT * FROM avis")
    assert {row["prompt_version"] for row in rows} == {read_prompt().version}
    assert {row["digital_source_type"] for row in rows} == {"trainedAlgorithmicMedia"}
    assert all("rédigée par IA" in row["label"] for row in rows)
    attempts = register.rows("SELECT * FROM avis_attempts")
    assert len(attempts) == COUNT
    assert all(row["provider"] == "llmock" and row["tokens_in"] > 0 for row in attempts)
    counted = metrics.registry.get_sample_value(
        "sirenade_chat_calls_total", {"provider": "llmock", "outcome": "answered"}
    )
    assert counted == COUNT
    assert metrics.registry.get_sample_value("sirenade_gate_inside", {"provider": "llmock"}) == 0
    for kind in ("in", "cached", "out"):
        counted = metrics.registry.get_sample_value(
            "sirenade_chat_tokens_total", {"provider": "llmock", "kind": kind}
        )
        assert counted == sum(row[f"tokens_{kind}"] for row in attempts)


@pytest.mark.slow
def test_through_an_outage_no_avis_is_lost(
    register: "Register", review_all: ReviewAll, llmock: Llmock, tmp_path: Path
) -> None:
    """The template writes the texts under way and those that come during the outage."""
    llmock.reset()
    register.add(range(1, COUNT + 1), apart=True)
    llmock.expect({"type": "fail", "status": 503, "times": None})

    def end_the_outage() -> None:
        llmock.reset()
        llmock.expect(GOOD_REPLY)

    file = write_providers(tmp_path / "providers.toml", llmock)
    timer = threading.Timer(3, end_the_outage)
    timer.start()
    review_all(file)
    timer.join()
    assert models(register).total() == COUNT
    assert models(register)["m"] >= COUNT / 2


@pytest.mark.slow
def test_a_server_that_never_comes_back_leaves_the_texts_to_the_template(
    register: "Register", review_all: ReviewAll, llmock: Llmock, tmp_path: Path
) -> None:
    llmock.reset()
    register.add(range(1, COUNT + 1), apart=True)
    llmock.expect({"type": "fail", "status": 503, "times": None})
    file = write_providers(tmp_path / "providers.toml", llmock)
    review_all(file, avis_outage_seconds=1)
    assert models(register) == {"template": COUNT}


def test_texts_that_the_validator_refuses_end_as_templates_with_all_attempts_kept(
    register: "Register", review_all: ReviewAll, llmock: Llmock, tmp_path: Path
) -> None:
    llmock.reset()
    register.add(range(1, 7), apart=True)
    llmock.expect({"type": "reply", "text": phrases("Un excellent artisan."), "times": None})
    file = write_providers(tmp_path / "providers.toml", llmock)
    review_all(file)
    assert models(register) == {"template": 6}
    attempts = register.rows("SELECT provider, accepted FROM avis_attempts")
    assert Counter((row["provider"], row["accepted"]) for row in attempts) == {
        ("llmock", False): 18,
        (None, True): 6,
    }


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("provider = 3", "provider"),
        ("[[provider]]\nname = 'p'", "base_url"),
        ("[[provider]]\nname='p'\nbase_url='http://u:secret@h/v1'\nmodel='m'", "key_file"),
        (_PRICED.format("key_file='/none'"), "/none"),
        (_PROVIDER, "price: Field required; of a server that costs nothing, say 0"),
        (f"{_PROVIDER}price = {{}}", "price.input_eur_per_million: Field required"),
        (f"{_PROVIDER}price.input_eur_per_million = 0", "price.output_eur_per_million"),
        (_PRICED.format("price.cached_eur_per_million = 2"), "cached_eur_per_million must not be"),
        ("not toml", "not a TOML file"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(content)
    settings = ReviewerSettings(
        database_url=SecretStr("postgresql://u:p@127.0.0.1:9/none"),
        broker_url=SecretStr("memory://"),
        avis_providers_file=file,
    )
    broker = make_broker("memory://")
    engine = make_engine("postgresql://u:p@127.0.0.1:9/none", application_name="test")
    with pytest.raises(UserError, match=problem) as raised:
        build(settings, engine=engine, broker=broker, clock=Clock(), metrics=Metrics())
    assert "secret" not in str(raised.value)
    broker.close()
