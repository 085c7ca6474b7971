"""The settings file of the providers: OpenAI-compatible servers that write texts.

[[provider]]
name = "mistral"
base_url = "https://api.mistral.ai/v1"
model = "mistral-small-2506"
key_file = "/run/secrets/mistral"
requests_per_minute = 600
price = { input_eur_per_million = 0.1, output_eur_per_million = 0.3 }

[[provider]]
name = "mistral-batch"
base_url = "https://api.mistral.ai/v1"
model = "mistral-small-2506"
key_file = "/run/secrets/mistral"
price = { input_eur_per_million = 0.05, output_eur_per_million = 0.15 }
batch = { api = "mistral", size = 5000 }
"""

import tomllib
from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from shared.errors import UserError
from shared.http.egress import may_carry_secrets
from shared.inputs import read_text

StructuredOutput = Literal["json_schema", "json_object", "plain"]

_MILLION = Decimal(1_000_000)
# The decimals of the tables. A cost is rounded once, up, so that all sums agree.
_LEAST_EUROS = Decimal("0.00000001")
Euros = Annotated[Decimal, Field(ge=0, le=100_000)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TokenUsage(_Frozen):
    """Tokens of one call; `tokens_in` includes `tokens_cached`."""

    tokens_in: int = Field(ge=0)
    tokens_out: int = Field(ge=0)
    tokens_cached: int = Field(default=0, ge=0)

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


class Price(_Frozen):
    """The price of a million tokens; zero, said aloud, for a server of one's own."""

    input_eur_per_million: Euros
    output_eur_per_million: Euros
    cached_eur_per_million: Euros | None = None

    @model_validator(mode="after")
    def _costs_most_uncached(self) -> Self:
        # The most that a call can cost is set aside at the price of what goes in fresh.
        if (self.cached_eur_per_million or 0) > self.input_eur_per_million:
            raise ValueError("cached_eur_per_million must not be above input_eur_per_million")
        return self

    def cost_eur(self, usage: TokenUsage) -> Decimal:
        cached, usual = self.cached_eur_per_million, self.input_eur_per_million
        fresh = max(0, usage.tokens_in - usage.tokens_cached)
        cost = (
            fresh * usual
            + usage.tokens_cached * (usual if cached is None else cached)
            + usage.tokens_out * self.output_eur_per_million
        ) / _MILLION
        return cost.quantize(_LEAST_EUROS, rounding=ROUND_UP)

    @property
    def charges(self) -> bool:
        """Return whether a call can cost anything."""
        return self.input_eur_per_million + self.output_eur_per_million > 0


class Batch(_Frozen):
    """The batch API of a provider: files of requests, answered within a day.

    A file has `size` requests; each database has `parallel` files under way. A file that is not
    full leaves when its first text has waited for `linger_seconds`.
    """

    api: Literal["openai", "mistral"] = "openai"
    size: int = Field(default=5000, ge=1, le=50_000)
    parallel: int = Field(default=10, ge=1, le=1000)
    poll_seconds: float = Field(default=60, ge=0.1, le=3600)
    linger_seconds: float = Field(default=300, ge=0, le=86_400)
    window_hours: int = Field(default=24, ge=1, le=168)


class Provider(_Frozen):
    """`weight` is the share of the texts; a provider with 0 is asked only when all others fail.

    `structured_output` is tried first: a server that answers 400 is asked for less. Some models
    want another `max_tokens_name`, or only their own temperature: "default". A provider with
    `batch` is asked in files: the limits of calls do not count for it.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    base_url: HttpUrl
    model: str = Field(min_length=1, max_length=100)
    key_file: Path | None = None
    weight: float = Field(default=1, ge=0, le=1000)
    price: Price
    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    tokens_per_minute: int | None = Field(default=None, ge=100)
    max_parallel: int = Field(default=200, ge=1, le=1000)
    structured_output: StructuredOutput = "json_object"
    max_tokens: int = Field(default=600, ge=50, le=4000)
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: Annotated[float, Field(ge=0, le=2)] | Literal["default"] = 0.7
    timeout_seconds: float = Field(default=30, ge=1, le=600)
    batch: Batch | None = None

    @property
    def at_once(self) -> int:
        """Return how many texts can be under way at one time."""
        return self.max_parallel if self.batch is None else self.batch.size * self.batch.parallel

    @model_validator(mode="after")
    def _may_carry_its_key(self) -> Self:
        if self.key_file is not None and not may_carry_secrets(str(self.base_url)):
            raise ValueError("base_url sends the key in clear: use https")
        return self

    @field_validator("base_url")
    @classmethod
    def _holds_no_password(cls, url: HttpUrl) -> HttpUrl:
        if url.username or url.password:
            raise ValueError("must not hold a password: put the key into key_file")
        return url


class _File(_Frozen):
    provider: tuple[Provider, ...] = Field(min_length=1)


def read_providers(path: Path) -> tuple[Provider, ...]:
    """Read the file. Raises UserError that names the file and its fault, never a key."""
    try:
        content = tomllib.loads(read_text(path))
        providers = _File.model_validate(content).provider
    except (tomllib.TOMLDecodeError, RecursionError):
        raise UserError(f"{path} is not a TOML file") from None
    except ValidationError as error:
        problems = "; ".join(map(_problem, error.errors()))
        raise UserError(f"{path}: {problems}") from None
    names = [provider.name for provider in providers]
    if len(set(names)) < len(names):
        raise UserError(f"{path}: two providers have one name")
    return providers


def _problem(error: ErrorDetails) -> str:
    place = error["loc"]
    words = error["msg"]
    if error["type"] == "missing" and "price" in place:
        words += "; of a server that costs nothing, say 0"
    return f"{'.'.join(map(str, place))}: {words}"
