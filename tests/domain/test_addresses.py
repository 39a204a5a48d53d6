"""Which addresses a webhook may lead to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.addresses import is_named, is_open_internet, meant, networks
from trunkline.errors import OutOfRange

INTERNAL = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "100.127.255.255", "169.254.169.254", "169.254.0.1", "168.63.129.16", "100.100.100.200"),
    *("192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "100::1", "5f00::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2001::1", "2001:db8::1", "3fff::1"),
]
OPEN = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.1.2.3", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", INTERNAL)
def test_internal_addresses_are_not_the_open_internet(text: str) -> None:
    """Each kind of internal address is refused, however it is written."""
    assert not is_open_internet(ip_address(text))


@pytest.mark.parametrize("text", OPEN)
def test_public_addresses_are(text: str) -> None:
    """Addresses next to the internal ranges, and ordinary ones, may be connected to."""
    assert is_open_internet(ip_address(text))


@given(st.integers(0, 2**32 - 1))
def test_ipv4_is_never_freer_than_python_thinks(number: int) -> None:
    """What is allowed is global for the standard library too; a written-as-IPv6 form is judged alike."""
    address = IPv4Address(number)
    mapped = IPv6Address((0xFFFF << 32) | number)
    assert meant(mapped) == address
    assert is_open_internet(mapped) == is_open_internet(address)
    if is_open_internet(address):
        assert address.is_global
        assert not address.is_multicast


@given(st.integers(0, 2**128 - 1))
def test_ipv6_is_never_freer_than_python_thinks(number: int) -> None:
    """What is allowed is global and no multicast."""
    address = IPv6Address(number)
    if is_open_internet(address):
        judged = meant(address)
        assert judged.is_global
        assert not judged.is_multicast


def test_named_networks_open_what_they_hold_and_nothing_else() -> None:
    """An operator's network is allowed in either spelling of its addresses; its neighbours are not."""
    allowed = networks(["10.1.0.0/16", "fd12::/48", " 127.0.0.1 "])
    for text in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::5", "127.0.0.1"):
        assert is_named(ip_address(text), allowed)
    for text in ("10.2.0.1", "fd13::5", "127.0.0.2", "8.8.8.8"):
        assert not is_named(ip_address(text), allowed)


def test_a_metadata_service_must_be_named_by_itself() -> None:
    """A whole network does not mean the service that hands out credentials; the single address does."""
    address = ip_address("169.254.169.254")
    assert not is_named(address, networks(["169.254.0.0/16", "0.0.0.0/0"]))
    assert is_named(address, networks(["169.254.169.254"]))


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.1/8", "10.0.0.0/33", "*", "10.0.0.0-10.0.0.9"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """A mistake in the option stops the start and names the text."""
    with pytest.raises(OutOfRange, match=r"is not a network"):
        networks([text])


def test_there_is_a_limit() -> None:
    """Each connection looks through the networks."""
    with pytest.raises(OutOfRange, match=r"at most"):
        networks(["10.0.0.0/8"] * 101)
