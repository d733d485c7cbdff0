"""Where a request comes from."""

import ipaddress

from gitlab_standin.config import Config

# Rack takes private addresses for proxies of the site itself.
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)


def remote_address(config: Config, peer: str, forwarded: str) -> str:
    """The visitor's address: the last one that is no proxy."""
    chain = [part.strip() for part in forwarded.split(",") if part.strip()] + [peer]
    for text in reversed(chain):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if not any(address in network for network in (*_PRIVATE, *config.trusted_proxies)):
            return text
    return chain[0]
