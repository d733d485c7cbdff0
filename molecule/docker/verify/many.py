"""Begin many connections at once, and say how many of them this machine refuses."""

import socket
import sys
import time

address, port, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
begun = [socket.socket(family) for _ in range(number)]
for one in begun:
    one.setblocking(False)
    one.connect_ex((address, port))
time.sleep(1)
refused = sum(one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0 for one in begun)
print(refused)
