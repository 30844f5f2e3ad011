-- Sessions that their application seems to have forgotten.

CREATE OR REPLACE FUNCTION pgvalet.leak_rows(
    OUT kind text,
    OUT score double precision,
    OUT reason text,
    OUT pid integer,
    OUT database_id oid,
    OUT role_id oid,
    OUT application_name text,
    OUT client_addr inet,
    OUT agent_name text,
    OUT connected_at timestamptz,
    OUT state_since timestamptz,
    OUT statement_count bigint,
    OUT session_count integer,
    OUT leaked_count integer,
    OUT blocked_pids integer[],
    OUT locks_held integer,
    OUT xmin_age integer)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_leak_rows';

COMMENT ON FUNCTION pgvalet.leak_rows() IS
    'All sessions and groups with a score above 0, also those that pgvalet.leaks leaves out because they are below 0.5.';

REVOKE ALL ON FUNCTION pgvalet.leak_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.leak_rows() TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.leaks AS
SELECT l.kind,
       l.score,
       l.reason,
       l.pid,
       d.datname::text AS database_name,
       r.rolname::text AS role_name,
       l.application_name,
       l.client_addr,
       l.agent_name,
       l.connected_at,
       l.state_since,
       l.statement_count,
       l.session_count,
       l.leaked_count,
       l.blocked_pids,
       CASE WHEN l.kind = 'group'
            THEN pg_catalog.format(
                     'SELECT pg_terminate_backend(pid) FROM pgvalet.leaks WHERE kind = ''unused'' AND agent_name IS NULL AND application_name = %L AND client_addr IS NOT DISTINCT FROM %L',
                     l.application_name, l.client_addr)
            ELSE pg_catalog.format('SELECT pg_terminate_backend(%s)', l.pid)
       END AS end_statement,
       l.locks_held,
       l.xmin_age
  FROM pgvalet.leak_rows() AS l
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = l.database_id
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = l.role_id
 WHERE l.score >= 0.5
 ORDER BY l.score DESC;

GRANT SELECT ON pgvalet.leaks TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.leaks IS
    'Sessions, and groups of sessions, that look as if their application had forgotten them, most certain first. What speaks for it stands in reason; how the score is made up in docs/extension/leaks.md.';
COMMENT ON COLUMN pgvalet.leaks.kind IS
    '''idle in transaction'': waits inside a transaction longer than pgvalet.leak_idle_in_transaction. ''unused'': a direct session that waits longer than pgvalet.leak_idle while its application opens others, or any session that does while others wait because of it. ''group'': at least three unused ones of one application and host.';
COMMENT ON COLUMN pgvalet.leaks.score IS
    'How certain, and how harmful, it is, from 0.5 to 1, two digits.';
COMMENT ON COLUMN pgvalet.leaks.reason IS
    'What speaks for it, a sentence.';
COMMENT ON COLUMN pgvalet.leaks.pid IS
    'Process id of the backend; NULL for a group.';
COMMENT ON COLUMN pgvalet.leaks.database_name IS
    'Database it is connected to; NULL for a group.';
COMMENT ON COLUMN pgvalet.leaks.role_name IS
    'Role that logged in; NULL for a group.';
COMMENT ON COLUMN pgvalet.leaks.application_name IS
    'Its application_name, of a group that of all its sessions.';
COMMENT ON COLUMN pgvalet.leaks.client_addr IS
    'Address of the client, of a group that of all its sessions; NULL for a Unix-domain socket.';
COMMENT ON COLUMN pgvalet.leaks.agent_name IS
    'Agent that opened the connection; NULL for direct ones. Behind an agent a leak is what waits inside a transaction, or while others wait because of it.';
COMMENT ON COLUMN pgvalet.leaks.connected_at IS
    'When it connected, timestamp; NULL for a group.';
COMMENT ON COLUMN pgvalet.leaks.state_since IS
    'Since when it waits, timestamp; NULL for a group.';
COMMENT ON COLUMN pgvalet.leaks.statement_count IS
    'Statements it has run; NULL for a group.';
COMMENT ON COLUMN pgvalet.leaks.session_count IS
    'Direct sessions that its application has from this host, number of sessions.';
COMMENT ON COLUMN pgvalet.leaks.leaked_count IS
    'Of these, unused ones with a score of at least 0.5, number of sessions.';
COMMENT ON COLUMN pgvalet.leaks.blocked_pids IS
    'Process ids of all backends that wait because of this one: those that wait for a lock it holds first, then those that wait for them, and so on; NULL if there is none.';
COMMENT ON COLUMN pgvalet.leaks.locks_held IS
    'Different locks that it holds while it waits, number of locks; NULL for a group.';
COMMENT ON COLUMN pgvalet.leaks.xmin_age IS
    'How many transactions old the row versions are that VACUUM must keep for it, number of transactions; NULL if it keeps none, and for a group.';
COMMENT ON COLUMN pgvalet.leaks.end_statement IS
    'The statement that ends the session, or all leaked ones of a group. It is only shown, never run.';
