"""A client that speaks the protocol itself."""

import socket
import struct

from server import DEADLINE_S


class RawClient:
    """Speaks the protocol itself, for what libpq does not send."""

    def __init__(self, server, **parameters):
        self.socket = socket.create_connection(("127.0.0.1", server.port), DEADLINE_S)
        body = struct.pack("!i", 3 << 16)
        for name, value in {"user": "postgres", "database": "postgres", **parameters}.items():
            body += name.encode() + b"\0" + value.encode() + b"\0"
        self.socket.sendall(struct.pack("!i", len(body) + 5) + body + b"\0")
        self.stream = self.socket.makefile("rb")
        self.pid = None
        self.until_ready()

    def send(self, *messages):
        self.socket.sendall(b"".join(
            kind + struct.pack("!i", len(body) + 4) + body for kind, body in messages))

    def until_ready(self):
        """Reads up to ReadyForQuery; returns the types of the messages."""
        kinds = b""
        while True:
            kind, length = struct.unpack("!ci", self.stream.read(5))
            body = self.stream.read(length - 4)
            kinds += kind
            if kind == b"K":
                self.pid = struct.unpack("!i", body[:4])[0]
            if kind == b"Z":
                return kinds

    def close(self):
        self.stream.close()
        self.socket.close()
