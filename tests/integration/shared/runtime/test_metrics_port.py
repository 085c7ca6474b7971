"""Several services on one machine need no setting of a port: each takes the next free one."""

import socket
import urllib.request

import pytest

from deploy.local.processes import free_port
from shared.errors import UserError
from shared.metrics import Metrics
from shared.runtime.service import serve_metrics


def test_the_next_free_port_serves_unless_a_port_was_asked_for() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}"):
            serve_metrics(Metrics(), host="127.0.0.1", port=port)
        serve_metrics(Metrics(), host="127.0.0.1", port=port, more_ports=5)
    answers = []
    for number in range(port + 1, port + 6):
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{number}/metrics", timeout=5
            ) as answer:  # loopback
                answers.append(answer.status)
        except OSError:
            continue
    assert 200 in answers
