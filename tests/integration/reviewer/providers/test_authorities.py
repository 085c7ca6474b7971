"""Chat servers over https: those whose certificate is trusted, and no others."""

import socket
from pathlib import Path

import pytest

from services.reviewer.batches.client import BatchClient
from services.reviewer.providers.chat import Chat, ChatRefused
from services.reviewer.providers.settings import Batch, Provider
from services.reviewer.settings import ReviewerSettings
from shared.http.egress import Egress
from tests.certificates import Authority
from tests.integration.reviewer.chat_reviews import provider as chat_provider
from tests.integration.reviewer.chat_server import text
from tests.raw_server import make_certificate, raw_server, response, saying

_UNTRUSTED = "mine: no secure connection: check its certificate"


def _egress(ca_file: Path) -> Egress:
    settings = ReviewerSettings(
        database_url="postgresql://localhost/x", broker_url="memory://", https_ca_file=ca_file
    )
    return settings.egress


def test_a_key_goes_to_a_server_that_is_trusted_and_to_no_other(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-secret")
    ca_file, context = make_certificate(tmp_path)
    strangers = tmp_path / "strangers"
    strangers.mkdir()
    stranger = Authority(strangers).file

    def write(to: socket.socket) -> None:
        to.recv(65536)  # the body follows the headers
        to.sendall(response("200 OK", text("Bonjour.")))

    with raw_server(write, context) as server:

        def provider(url: str = server.url) -> Provider:
            return chat_provider(url, "mine", key_file=tmp_path / "key", timeout_seconds=30)

        chat = Chat(provider(), _egress(ca_file))
        assert chat.post([{"role": "user", "content": "x"}], "json_object").answer is not None
        assert b"sk-secret" in server.requests[0]
        elsewhere = server.url.replace("127.0.0.1", "localhost")
        for refused in (
            Chat(provider(), _egress(stranger)),
            Chat(provider(), Egress()),
            Chat(provider(elsewhere), _egress(ca_file)),
        ):
            with pytest.raises(ChatRefused, match=_UNTRUSTED):
                refused.post([{"role": "user", "content": "x"}], "json_object")
        assert len(server.requests) == 1
    with raw_server(saying(response("200 OK", b'{"id": "b1"}')), context) as server:
        assert BatchClient(provider(server.url), Batch(), _egress(ca_file)).read("b1").id == "b1"
        with pytest.raises(ChatRefused, match=_UNTRUSTED):
            BatchClient(provider(server.url), Batch(), _egress(stranger)).read("b1")
        assert len(server.requests) == 1
