# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Which hosts this site talks to when a launch or a registration names an address.

A platform's address comes from outside: a grade's return address from a launch, a key set's from a
registration. Such an address must not lead to this machine or into its network (OWASP: server-side
request forgery). What is private is decided by the address a name resolves to, not by the name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

SETTING = "atelier_platform_private_hosts"
"""Variable of the inventory that names what is allowed besides public hosts over https."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses as networks with IPv6 alone write them (RFC 6052, section 2.1)."""
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
"""All that is assigned for hosts of the Internet (RFC 4291, section 2.4)."""
_SPECIAL = [
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
]  # fmt: skip
"""IANA's special-purpose addresses (RFC 6890), whichever of them Python's version knows.

6to4 (2002::/16) and Teredo (in 2001::/23) hold an IPv4 address; no service is published so."""


def _address(text: str) -> Address | None:
    """An IP address, an IPv4 one where an IPv6 one stands for it; None: it is something else."""
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
    """Whether an IP address is one of the Internet's.

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
    """Check a host's name or IP address as it stands in settings, and write it as URLs have it.

    Raises:
        ValueError: it is neither.
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
        ValueError: it is no host name, IP address or network.
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
    """Public hosts over https, and what the site's operators named besides.

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
        """Whether the operators named a host, or the IP address it resolves to.

        Args:
            host: as the URL has it: a name or an IP address.
            address: what it resolves to; None where that is not known.
        """
        if host.lower().rstrip(".") in self._names:
            return True
        found = _address(address or host.strip("[]"))
        return found is not None and any(
            found in network for network in self._networks if network.version == found.version
        )

    def permits(self, scheme: str, host: str, address: str) -> bool:
        """Whether a request may go to an IP address.

        Args:
            scheme: of the URL.
            host: of the URL.
            address: what the host resolves to.
        """
        return self.names(host, address) or (scheme == "https" and is_public(address))

    def may_show(self, url: str) -> bool:
        """Whether a browser may be sent to an address; names are not looked up.

        Over https: it is the browser's own network that counts. Without TLS: hosts named only.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return False
        return bool(host) and (parts.scheme == "https" or self.names(str(host)))


def host_of(url: str | None) -> str | None:
    """The host of an address, as :func:`host_name` writes it; None: it has none."""
    try:
        host = urlsplit(url or "").hostname
        return host_name(host) if host else None
    except ValueError:
        return None
