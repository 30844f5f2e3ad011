-- The connections of the whole server in one row.

CREATE OR REPLACE FUNCTION pgvalet.summary(
    OUT connections integer,
    OUT active integer,
    OUT idle integer,
    OUT idle_in_transaction integer,
    OUT agent_connections integer,
    OUT max_connections integer,
    OUT reserved_connections integer,
    OUT used_share double precision,
    OUT highest_connections integer,
    OUT highest_at timestamptz,
    OUT started_at timestamptz,
    OUT session_count bigint,
    OUT idle_session_ended_count bigint,
    OUT idle_in_transaction_ended_count bigint,
    OUT extension_version text)
RETURNS record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_summary';

COMMENT ON FUNCTION pgvalet.summary() IS
    'The one row of the view pgvalet.summary.';

REVOKE ALL ON FUNCTION pgvalet.summary() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.summary() TO pg_monitor, pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.summary AS
SELECT s.connections,
       s.active,
       s.idle,
       s.idle_in_transaction,
       s.agent_connections,
       s.max_connections,
       s.reserved_connections,
       s.used_share,
       s.highest_connections,
       s.highest_at,
       s.started_at,
       s.session_count,
       s.idle_session_ended_count,
       s.idle_in_transaction_ended_count,
       s.extension_version
  FROM pgvalet.summary() AS s;

GRANT SELECT ON pgvalet.summary TO pg_monitor, pg_read_all_stats;

COMMENT ON VIEW pgvalet.summary IS
    'One row: the connections of the whole server, and how near their limit they are.';
COMMENT ON COLUMN pgvalet.summary.connections IS
    'Client backends connected now, number of connections.';
COMMENT ON COLUMN pgvalet.summary.active IS
    'Those that work on a command, number of connections.';
COMMENT ON COLUMN pgvalet.summary.idle IS
    'Those that wait for a command outside a transaction, number of connections.';
COMMENT ON COLUMN pgvalet.summary.idle_in_transaction IS
    'Those that wait for a command inside an open or failed transaction, number of connections.';
COMMENT ON COLUMN pgvalet.summary.agent_connections IS
    'Those opened by a pgvalet agent, number of connections.';
COMMENT ON COLUMN pgvalet.summary.max_connections IS
    'The limit, setting max_connections, number of connections.';
COMMENT ON COLUMN pgvalet.summary.reserved_connections IS
    'Of max_connections, those kept for superusers and, from PostgreSQL 16 on, for pg_use_reserved_connections, number of connections.';
COMMENT ON COLUMN pgvalet.summary.used_share IS
    'connections / max_connections, from 0 to 1.';
COMMENT ON COLUMN pgvalet.summary.highest_connections IS
    'Most client backends connected at one time since started_at, number of connections.';
COMMENT ON COLUMN pgvalet.summary.highest_at IS
    'When highest_connections was reached first, timestamp; NULL before the first session.';
COMMENT ON COLUMN pgvalet.summary.started_at IS
    'When counting began: start of the server, or its restart after a crash of a backend, timestamp.';
COMMENT ON COLUMN pgvalet.summary.session_count IS
    'Sessions since started_at, live ones included, number of sessions.';
COMMENT ON COLUMN pgvalet.summary.idle_session_ended_count IS
    'Sessions ended by pgvalet.idle_session_timeout since started_at, number of sessions.';
COMMENT ON COLUMN pgvalet.summary.idle_in_transaction_ended_count IS
    'Sessions ended by pgvalet.idle_in_transaction_timeout since started_at, number of sessions.';
COMMENT ON COLUMN pgvalet.summary.extension_version IS
    'Version of the loaded library, text.';
