"""From the start of a bare server to its first PONG."""

import socket
import subprocess
import time

from measure import measured
from smartensemble.runtime.servers.server_program import find_server

program = find_server()
with measured():
    server = subprocess.Popen([program, "--port", "0", "--unixsocket", "s", "--save", ""], stdout=subprocess.DEVNULL)
    answer = b""
    while answer != b"+PONG\r\n":
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect("s")
            except OSError:
                time.sleep(0.001)
                continue
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
server.kill()
server.wait()
