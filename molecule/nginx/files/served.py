"""Print what the site's certificate says, as nginx serves it, and its HSTS header.

Usage: served.py NAME [authority file]; trusts the system where no file is given.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys

name, *authority = sys.argv[1:]
context = ssl.create_default_context(cafile=authority[0] if authority else None)
# An institution's authority may be older than RFC 5280's rules on extensions.
context.verify_flags &= ~ssl.VERIFY_X509_STRICT
raw = socket.create_connection(("127.0.0.1", 8443), 20)
with context.wrap_socket(raw, server_hostname=name) as connection:
    found = connection.getpeercert()
    request = f"HEAD /none HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    connection.sendall(request.encode())
    answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
hsts = re.search(r"^strict-transport-security: (.*?)\r?$", answer, re.MULTILINE | re.IGNORECASE)
print(
    json.dumps(
        {
            "serial": found["serialNumber"],
            "issuer": str(found["issuer"]),
            "until": ssl.cert_time_to_seconds(found["notAfter"]),
            "hsts": hsts and hsts[1],
            "names": sorted(value for _, value in found["subjectAltName"]),
        }
    )
)
