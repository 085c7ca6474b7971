"""llmock with a text that the validator accepts, for the registers of these tests."""

from collections.abc import Mapping
from typing import Any

from tests.integration.reviewer.chat_server import phrases
from tests.servers.llmock import Llmock, llmock_server

__all__ = ["GOOD_REPLY", "Llmock", "llmock_server"]

GOOD_REPLY: Mapping[str, Any] = {
    "type": "reply",
    "text": phrases(),
    "times": None,
}
