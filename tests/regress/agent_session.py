"""A connection as an agent opens it, which is told what its session carries."""

import base64
import socket
import struct

from server import DEADLINE_S, ServerTest

KEY = "the key of this connection"
SET_CONFIG_OID = 2078


def item(letter, *fields):
    """One item of a state or report, as bytes."""
    text = [field if isinstance(field, bytes) else field.encode() for field in fields]
    return letter.encode() + b"".join(b"%d:%s" % (len(one), one) for one in text)


def items_of(text):
    """A report or state as a list of (letter, field, ...)."""
    counts = {"v": 1, "m": 1, "p": 2, "l": 1, "x": 1, "q": 1, "u": 0, "d": 0, "n": 0, "o": 1, "t": 1}
    counts |= {"c": 2, "s": 2, "b": 1, "P": 2, "L": 1, "Q": 2}
    found = []
    while text:
        letter, text = chr(text[0]), text[1:]
        fields = []
        for _ in range(counts[letter]):
            length, text = text.split(b":", 1)
            fields.append(text[: int(length)].decode("utf-8", "surrogateescape"))
            text = text[int(length):]
        found.append((letter, *fields))
    return found


class Agent:
    """A connection as an agent opens it, message by message."""

    def __init__(self, server, key=KEY, **parameters):
        self.socket = socket.create_connection(("127.0.0.1", server.port), DEADLINE_S)
        self.key = key
        startup = {"user": "postgres", "database": "postgres", "pgvalet.agent": "pgvaletd/test:9"}
        startup |= {"pgvalet.agent_key": key} if key else {}
        startup |= parameters
        body = struct.pack("!I", 196608)
        for name, value in startup.items():
            body += name.encode() + b"\0" + value.encode() + b"\0"
        body += b"\0"
        self.socket.sendall(struct.pack("!I", len(body) + 4) + body)
        self.buffer = b""
        self.first = self.answer()

    def close(self):
        self.socket.close()

    def _take(self, count):
        while len(self.buffer) < count:
            data = self.socket.recv(65536)
            if not data:
                raise AssertionError("the server has closed the connection")
            self.buffer += data
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def messages(self):
        """All messages up to ReadyForQuery, as (type, body)."""
        found = []
        while not found or found[-1][0] != "Z":
            kind, length = struct.unpack("!cI", self._take(5))
            found.append((kind.decode(), self._take(length - 4)))
        return found

    def answer(self):
        """The answer to one command."""
        return Answer(self.messages())

    def send(self, *messages):
        self.socket.sendall(
            b"".join(k + struct.pack("!I", len(body) + 4) + body for k, body in messages)
        )

    def query(self, sql):
        self.send((b"Q", sql.encode() + b"\0"))
        return self.answer()

    def value(self, sql):
        return self.query(sql).value

    def restore_message(self, state=b"", sequences=b"", key=None):
        value = (key or self.key).encode() + b" " + base64.b64encode(state) + b" "
        value += base64.b64encode(sequences)
        body = struct.pack("!IHH", SET_CONFIG_OID, 0, 3)
        for argument in (b"pgvalet.session", value, b"false"):
            body += struct.pack("!I", len(argument)) + argument
        return (b"F", body + struct.pack("!H", 0))

    def restore(self, state=b"", sequences=b"", key=None):
        self.send(self.restore_message(state, sequences, key))
        return self.answer()


class Answer:
    def __init__(self, messages):
        self.kinds = "".join(kind for kind, _ in messages if kind != "S")
        parts = [
            body.split(b"\0", 1)[1][:-1]
            for kind, body in messages
            if kind == "S" and body.startswith(b"pgvalet.session\0")
        ]
        self.part_sizes = [len(part) for part in parts]
        self.parameters = [
            body.split(b"\0")[0].decode() for kind, body in messages if kind == "S"
        ]
        # The last message before ReadyForQuery is the report, if there is one.
        self.report_is_last = not parts or messages[-2][1].startswith(b"pgvalet.session\0")
        self.report = items_of(b"".join(part[1:] for part in parts)) if parts else None
        self.transaction = [
            body.split(b"\0", 1)[1][:-1]
            for kind, body in messages
            if kind == "S" and body.startswith(b"pgvalet.transaction\0")
        ]
        self.sqlstate = self.error = self.value = None
        for kind, body in messages:
            if kind == "E":
                fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
                self.sqlstate, self.error = fields[b"C"], fields[b"M"]
            if kind == "D" and self.value is None:
                length = struct.unpack("!i", body[2:6])[0]
                self.value = None if length < 0 else body[6: 6 + length].decode("utf-8", "replace")

    def of(self, letter):
        """The items of this letter."""
        return [one for one in self.report or [] if one[0] == letter]

    @property
    def state(self):
        """The movable state, as items; None if the report has none."""
        found = self.of("m")
        return items_of(found[0][1].encode("utf-8", "surrogateescape")) if found else None

    @property
    def state_bytes(self):
        return self.of("m")[0][1].encode("utf-8", "surrogateescape")


class SessionTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as admin:
            admin.execute("CREATE ROLE mover")
            admin.execute("CREATE TABLE moved (id serial, a int)")
            admin.execute("CREATE SEQUENCE other_sequence START 500")

    def agent(self, **parameters):
        agent = Agent(self.server, **parameters)
        self.addCleanup(agent.close)
        return agent
