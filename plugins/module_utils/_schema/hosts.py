# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Decides to which hosts this site sends requests if a launch or a registration names an address.

Addresses of platforms are untrusted: a launch has the address for its grade, a registration that of
a key set. They must not lead to this machine or into its network (OWASP: server-side request
forgery). The IP address to which a name resolves decides whether a host is private, not the name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

SETTING = "atelier_platform_private_hosts"
"""The setting with hosts that are allowed in addition to public hosts over https."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Prefix of IPv4 addresses in networks with IPv6 only (RFC 6052, section 2.1)."""
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
"""All addresses that are assigned to hosts of the Internet (RFC 4291, section 2.4)."""
_SPECIAL = [
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
]  # fmt: skip
"""IANA's special-purpose addresses (RFC 6890), independent of Python's version.

6to4 (2002::/16) and Teredo (in 2001::/23) contain an IPv4 address; no public service uses them."""


def _address(text: str) -> Address | None:
    """Parse an IP address; unwrap an IPv4 address in IPv6 form. None if it is not an address."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return found.ipv4_mapped
        if found in _NAT64:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found


def is_public(text: str) -> bool:
    """Return whether an IP address is public.

    Not public: loopback, unspecified, private (RFC 1918, fc00::/7), shared (100.64/10), link-local,
    multicast, reserved and documentation addresses, and IPv6 forms of such IPv4 addresses.

    Args:
        text: an IP address; anything else is not public.
    """
    found = _address(text)
    if found is None or (found.version == 6 and found not in _GLOBAL_IPV6):
        return False
    return not any(found in network for network in _SPECIAL if network.version == found.version)


def host_name(value: str) -> str:
    """Check a host name or an IP address in settings, and return it in the form of URLs.

    Raises:
        ValueError: it is neither a host name nor an IP address.
    """
    text = value.strip().lower().rstrip(".")
    if _address(text) is not None:
        return str(_address(text))
    labels = text.split(".")
    if not 0 < len(text) <= 253 or not all(
        label and len(label) <= 63 and label.replace("-", "a").replace("_", "a").isalnum()
        and label.isascii()
        for label in labels
    ):  # fmt: skip
        raise ValueError("must be a host name or an IP address, without scheme, port and path")
    return text


def private_host(value: str) -> str:
    """Check an entry of ``atelier_platform_private_hosts``.

    Raises:
        ValueError: it is not a host name, an IP address or a network.
    """
    try:
        return str(ipaddress.ip_network(value.strip()))
    except ValueError:
        if "/" in value:
            raise ValueError(
                "must be a host name, an IP address or a network like 10.1.0.0/16 (whose last"
                " bits are 0)"
            ) from None
    return host_name(value)


class PlatformHosts:
    """The allowed hosts: public ones over https, and those that the site's operators named.

    Args:
        named: host names, IP addresses and networks that may be private and without TLS.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for entry in named:
            try:
                self._networks.append(ipaddress.ip_network(entry))
            except ValueError:
                self._names.add(entry)

    def names(self, host: str, address: str | None = None) -> bool:
        """Return whether the operators named a host, or the IP address to which it resolves.

        Args:
            host: host of the URL, a name or an IP address.
            address: its IP address; None if unknown.
        """
        if host.lower().rstrip(".") in self._names:
            return True
        found = _address(address or host.strip("[]"))
        return found is not None and any(
            found in network for network in self._networks if network.version == found.version
        )

    def permits(self, scheme: str, host: str, address: str) -> bool:
        """Return whether a request may be sent to an IP address.

        Args:
            scheme: scheme of the URL.
            host: host of the URL.
            address: IP address to which the host resolves.
        """
        return self.names(host, address) or (scheme == "https" and is_public(address))

    def may_show(self, url: str) -> bool:
        """Return whether a browser may be redirected to an address; names are not resolved.

        All hosts are allowed over https, as the request comes from the browser's network. Without
        TLS only named hosts are.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return False
        return bool(host) and (parts.scheme == "https" or self.names(str(host)))


def host_of(url: str | None) -> str | None:
    """Return the host of an address in the form of :func:`host_name`; None if it has none."""
    try:
        host = urlsplit(url or "").hostname
        return host_name(host) if host else None
    except ValueError:
        return None
