"""Requests without a key are limited by network, and the memory of it is bounded."""

import pytest

from services.portal.api.access.limits import BURST_SECONDS, AddressLimits, shortened


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::9", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("testclient", ""),
        (None, ""),
    ],
)
def test_an_address_is_shortened_to_its_network(address: str | None, network: str) -> None:
    assert shortened(address) == network


def _allowed(limits: AddressLimits, network: str, requests: int) -> int:
    return sum(limits.wait(network) == 0 for _ in range(requests))


def test_a_minute_allows_its_number_whatever_its_bursts() -> None:
    now = [0.0]
    limits = AddressLimits(60, lambda: now[0])
    first = _allowed(limits, "a", 100)
    assert first == BURST_SECONDS
    for second in range(1, 61):
        now[0] = float(second)
        first += _allowed(limits, "a", 5)
    assert 60 <= first <= 60 + BURST_SECONDS


def test_who_is_refused_is_told_when_to_come_back() -> None:
    now = [0.0]
    limits = AddressLimits(60, lambda: now[0])
    _allowed(limits, "a", 100)
    wait = limits.wait("a")
    assert 0 < wait <= 1
    now[0] += wait
    assert limits.wait("a") == 0


def test_a_small_limit_still_lets_one_request_in() -> None:
    limits = AddressLimits(1, lambda: 0.0)
    assert _allowed(limits, "a", 5) == 1


def test_networks_do_not_share_a_limit_and_old_ones_are_forgotten() -> None:
    limits = AddressLimits(60, lambda: 0.0, most=2)
    assert [limits.wait(network) for network in "abc"] == [0, 0, 0]
    assert len(limits._free_at) == 2
