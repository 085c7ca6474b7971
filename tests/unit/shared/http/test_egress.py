"""Requests, secrets and redirects go only where they may."""

import pytest

from shared.http.egress import Redirects, is_public, may_carry_secrets
from shared.http.errors import Forbidden

_FILE = "https://www.data.gouv.fr/api/1/datasets/r/0651fb76"
_REDIRECTS = Redirects(("data.gouv.fr", "example.org"))


@pytest.mark.parametrize(
    ("url", "location", "target", "public_only"),
    [
        (_FILE, "/other", "https://www.data.gouv.fr/other", False),
        (_FILE, "https://files.data.gouv.fr/f.zip", "https://files.data.gouv.fr/f.zip", True),
        (_FILE, "https://data.gouv.fr:8443/f", "https://data.gouv.fr:8443/f", True),
        (_FILE, "//example.org/f.zip", "https://example.org/f.zip", True),
        ("http://data.gouv.fr/f", "https://data.gouv.fr/f", "https://data.gouv.fr/f", True),
        ("http://127.0.0.1:8000/old", "new", "http://127.0.0.1:8000/new", False),
    ],
)
def test_a_redirect_within_a_server_or_to_an_allowed_name_is_followed(
    url: str, location: str, target: str, public_only: bool
) -> None:
    assert _REDIRECTS.target(url, location) == (target, public_only)


@pytest.mark.parametrize(
    "location",
    [
        "http://[::1",
        "http://[::1]/",
        "https://evil-data.gouv.fr/",
        "https://data.gouv.fr.evil.org/",
        "https://example.org@evil.org/",
        "https://me:secret@example.org/",
        "https://169.254.169.254/latest/meta-data/",
        "http://www.data.gouv.fr/f",
        "file:///etc/passwd",
        "https://example.org:port/",
    ],
)
def test_any_other_redirect_is_forbidden(location: str) -> None:
    with pytest.raises(Forbidden):
        _REDIRECTS.target(_FILE, location)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104  # an address to refuse
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_an_address_is_public_or_not(address: str, expected: bool) -> None:
    assert is_public(address) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.insee.fr/", True),
        ("http://api.insee.fr/", False),
        ("http://127.0.0.1:8021/", True),
        ("http://[::1]:8021/", True),
        ("http://localhost/", True),
        ("http://simulator:8021/", True),
        ("http://vllm.texts.svc.cluster.local/", True),
        ("http://192.168.1.5/", True),
        ("http://8.8.8.8/", False),
        ("http://", False),
        ("", False),
    ],
)
def test_secrets_go_over_https_or_to_hosts_nearby(url: str, expected: bool) -> None:
    assert may_carry_secrets(url) == expected
