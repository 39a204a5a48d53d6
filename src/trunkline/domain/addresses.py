"""Where this server may connect to: the open internet, and networks that the operator names.

Whoever configures a webhook chooses an address that *this* machine connects to, from inside its network. So what is
not plainly the open internet is refused: loopback, private and shared networks, link-local and metadata services,
multicast, and the translations of IPv6 that lead to IPv4 by another way.

Source: the special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its successors); RFC 6052 (translation).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from trunkline.errors import OutOfRange

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_NETWORKS = 100
"""Networks that an operator may name: each connection looks through them."""

_INTERNAL_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared between carrier and customer
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, with most clouds' metadata service
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, with a metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of an abandoned translation
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks of network devices
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, with the broadcast address
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
"""All that is assigned to the open internet: loopback, ULA, link-local, multicast and the rest lie outside."""
_INTERNAL_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, with a tunnel that carries IPv4 addresses
        "2001:db8::/32",  # documentation
        "2002::/16",  # a tunnel that carries IPv4 addresses
        "3fff::/20",  # documentation
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
"""Services of clouds that hand out a machine's credentials to whoever asks from it. One has a public address."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks that the texts name (``10.1.0.0/16``, ``fd12::/48``, or one address).

    Raises ``OutOfRange`` for what is no network, and for host bits behind the prefix: one of the two is a mistake.
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(text.strip()))
        except ValueError:
            raise OutOfRange(f"{text!r} is not a network like 10.1.0.0/16 or fd12:3456::/48") from None
    if len(found) > MAX_NETWORKS:
        raise OutOfRange(f"at most {MAX_NETWORKS} networks may be named")
    return tuple(found)


def meant(address: Address) -> Address:
    """The address that packets end at: an IPv4 address that is written as IPv6 is taken out of it."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_open_internet(address: Address) -> bool:
    """True for addresses of the open internet that lead to nothing special."""
    address = meant(address)
    if address in _METADATA:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INTERNAL_4)
    return address in _GLOBAL_6 and not any(address in network for network in _INTERNAL_6)


def is_named(address: Address, allowed: Sequence[Network]) -> bool:
    """True when the operator named a network that holds the address.

    A metadata service must be named by itself: nobody who allows a whole network means it.
    """
    address = meant(address)
    for network in allowed:
        if address.version == network.version and address in network:
            return address not in _METADATA or network.num_addresses == 1
    return False
