"""PostgreSQL with the extension and the agent in front of it, as one thing to start and stop.

Both `make run` and `make demo` are this with another last act.
"""

import hashlib
import pathlib

import devserver
from devserver import Failure, say

AGENT_PORT = 6543
GRPC_PORT = 6544
HTTP_PORT = 6545

# What clients of the embedded default see.  The agent knows app's SCRAM secret from
# its users file and asks the server for those of others (auth_query), so every role
# made later can log in as well.
SETUP = """
CREATE ROLE app LOGIN PASSWORD '{app_password}';
GRANT pg_monitor TO app;
CREATE ROLE pgvalet_agent LOGIN PASSWORD '{agent_password}';
GRANT pg_monitor TO pgvalet_agent;
CREATE DATABASE app OWNER app;
"""

# Only pgvalet_agent may ask for secrets, one role at a time, never a superuser's.
LOOKUP = """
CREATE SCHEMA pgvalet_agent;
CREATE FUNCTION pgvalet_agent.lookup(name text)
RETURNS TABLE (username text, secret text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT rolname::text,
         CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END
    FROM pg_authid
   WHERE rolname = name AND rolcanlogin AND NOT rolsuper
$$;
REVOKE ALL ON FUNCTION pgvalet_agent.lookup(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA pgvalet_agent TO pgvalet_agent;
GRANT EXECUTE ON FUNCTION pgvalet_agent.lookup(text) TO pgvalet_agent;
"""

AGENT_CONFIG = """\
listen_addr = "localhost"
listen_port = {port}
unix_socket_dir = ""
grpc_listen = "127.0.0.1:{grpc_port}"
http_listen = "127.0.0.1:{http_port}"

pool_mode = "transaction"
default_pool_size = {pool_size}

auth_type = "scram-sha-256"
auth_user = "pgvalet_agent"
auth_file = "{userlist}"
auth_dbname = "app"
auth_query = "SELECT username, secret FROM pgvalet_agent.lookup($1)"

sampler_dbname = "app"
sampler_user = "pgvalet_agent"
sampler_password = "{agent_password}"

[databases]
app = "host=127.0.0.1 port={server_port} dbname=app"
"*" = "host=127.0.0.1 port={server_port}"
"""


class Stack:
    """REQUIRES: build/bin/pgvaletd.  Use as: start(), work, stop() in a finally."""

    def __init__(self, build, home, pool_size=10, server_settings=None, fast=False):
        self.build = pathlib.Path(build)
        self.home = pathlib.Path(home)
        self.pool_size = pool_size
        self.server_settings = server_settings or {}
        self.fast = fast
        self.cluster = None
        self.agent = None
        self.port = self.grpc_port = self.http_port = None
        self.passwords = {}

    def start(self, bin_dir, wanted_ports=(AGENT_PORT, GRPC_PORT, HTTP_PORT)):
        settings = {
            "shared_preload_libraries": "pgvalet",
            # Where the extension is, and with it the tables of policies.
            "pgvalet.database": "app",
        } | self.server_settings
        self.cluster = devserver.Cluster(bin_dir, self.home, settings, self.fast)
        fresh = not self.cluster.exists()
        if fresh:
            say(f"  creating a cluster in {self.cluster.data}")
            self.cluster.create()
        self.cluster.start()
        say(f"  PostgreSQL {self.cluster.major()} with pgvalet listens on 127.0.0.1:"
            f"{self.cluster.port}")
        self._prepare_databases()
        self._choose_ports(wanted_ports)
        self.agent = devserver.Agent(
            self.build / "bin" / "pgvaletd", self.home, self._agent_config(), self.port
        )
        self.agent.start()
        say(f"  pgvaletd listens on localhost:{self.port}, at most {self.pool_size} server"
            " connections per pool")

    def _prepare_databases(self):
        """app keeps its password from run to run, so that pasted lines stay good."""
        self.passwords = {"app": self._kept_password(), "agent": devserver.new_password()}
        if self.cluster.sql("SELECT 1 FROM pg_roles WHERE rolname = 'pgvalet_agent'") != "1":
            self.cluster.sql(
                SETUP.format(
                    app_password=self.passwords["app"], agent_password=self.passwords["agent"]
                )
            )
            self.cluster.sql(LOOKUP, "app")
        else:
            self.cluster.sql(
                f"ALTER ROLE app PASSWORD '{self.passwords['app']}';"
                f"ALTER ROLE pgvalet_agent PASSWORD '{self.passwords['agent']}'"
            )
        self._create_extension()

    def _kept_password(self):
        note = self.home / "app-password"
        if not note.exists():
            note.touch(mode=0o600)
            note.write_text(devserver.new_password())
        return note.read_text()

    def _create_extension(self):
        """Makes the extension, again when its SQL has changed since."""
        digest = hashlib.sha256()
        for script in sorted((devserver.ROOT / "sql").glob("*.sql")):
            digest.update(script.read_bytes())
        note = self.home / "extension.sha256"
        known = note.read_text() if note.exists() else ""
        if known != digest.hexdigest():
            self.cluster.sql("DROP EXTENSION IF EXISTS pgvalet; CREATE EXTENSION pgvalet", "app")
            note.write_text(digest.hexdigest())

    def _choose_ports(self, wanted):
        names = ("clients", "gRPC", "HTTP")
        ports = []
        for name, port in zip(names, wanted):
            chosen = devserver.free_port(port)
            if port and chosen != port:
                say(f"  port {port} is taken; {name} will find pgvaletd on {chosen}")
            ports.append(chosen)
        self.port, self.grpc_port, self.http_port = ports

    def _agent_config(self):
        userlist = self.home / "userlist.txt"
        userlist.touch(mode=0o600)
        userlist.chmod(0o600)
        secret = self.cluster.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'")
        userlist.write_text(f'"pgvalet_agent" "{self.passwords["agent"]}"\n"app" "{secret}"\n')
        return AGENT_CONFIG.format(
            port=self.port,
            grpc_port=self.grpc_port,
            http_port=self.http_port,
            pool_size=self.pool_size,
            userlist=userlist,
            agent_password=self.passwords["agent"],
            server_port=self.cluster.port,
        )

    def pool_url(self):
        return f"postgres://app:{self.passwords['app']}@localhost:{self.port}/app"

    def direct_url(self):
        return f"postgres://app:{self.passwords['app']}@localhost:{self.cluster.port}/app"

    def superuser_command(self):
        """Works for the user who started this: by the socket, without a password."""
        return f"psql -h {self.cluster.socket_dir} -p {self.cluster.port} -U postgres app"

    def alive(self):
        """Raises Failure when a part has died."""
        self.cluster.process.alive()
        self.agent.process.alive()

    def stop(self):
        if self.agent:
            self.agent.stop()
        if self.cluster:
            self.cluster.stop()


def require_programs(build):
    for name in ("pgvaletd", "pgvalet"):
        if not (pathlib.Path(build) / "bin" / name).exists():
            raise Failure(f"{build}/bin/{name} is not there; `make` builds it")
