"""Print what the site's certificate says, as nginx serves it: serial, issuer, last day, names.

Usage: served.py NAME [authority file]; trusts the system where no file is given.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys

name, *authority = sys.argv[1:]
context = ssl.create_default_context(cafile=authority[0] if authority else None)
raw = socket.create_connection(("127.0.0.1", 8443), 20)
with context.wrap_socket(raw, server_hostname=name) as connection:
    found = connection.getpeercert()
print(
    json.dumps(
        {
            "serial": found["serialNumber"],
            "issuer": str(found["issuer"]),
            "until": ssl.cert_time_to_seconds(found["notAfter"]),
            "names": sorted(value for _, value in found["subjectAltName"]),
        }
    )
)
