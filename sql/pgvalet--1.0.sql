/* sql/pgvalet--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pgvalet" to load this file. \quit

/*
 * Who may read what: everyone may enter the schema and read pgvalet.backends,
 * where the C function shows a role only the backends of roles whose privileges
 * it has; members of pg_read_all_stats (pg_monitor is one) see all backends.
 * Everything else is for pg_monitor.
 */
CREATE SCHEMA pgvalet;
GRANT USAGE ON SCHEMA pgvalet TO PUBLIC;
COMMENT ON SCHEMA pgvalet IS
    'What every session costs and who holds what: views of the extension pgvalet.';

CREATE FUNCTION pgvalet.backend_slots(
    OUT pid integer,
    OUT database_id oid,
    OUT role_id oid,
    OUT application_name text,
    OUT client_addr inet,
    OUT client_port integer,
    OUT agent_name text,
    OUT state text,
    OUT state_since timestamptz,
    OUT connected_at timestamptz,
    OUT login_us bigint,
    OUT xact_commit_count bigint,
    OUT xact_rollback_count bigint,
    OUT statement_count bigint,
    OUT row_count bigint,
    OUT error_count bigint,
    OUT sent_bytes bigint,
    OUT block_hit_count bigint,
    OUT block_read_count bigint,
    OUT block_written_count bigint,
    OUT temp_bytes bigint,
    OUT wal_bytes bigint,
    OUT active_us bigint,
    OUT idle_us bigint,
    OUT idle_in_transaction_us bigint,
    OUT pin_reasons text[],
    OUT pinned_objects bigint,
    OUT pinned_since timestamptz,
    OUT moved_settings integer,
    OUT moved_statements integer)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_backend_slots';

COMMENT ON FUNCTION pgvalet.backend_slots() IS
    'The slots of the connected backends that the caller may see; pgvalet.backends gives the ids names.';

CREATE FUNCTION pgvalet.usage(
    dimension text,
    OUT object_id oid,
    OUT name text,
    OUT session_count bigint,
    OUT live_session_count bigint,
    OUT xact_commit_count bigint,
    OUT xact_rollback_count bigint,
    OUT statement_count bigint,
    OUT row_count bigint,
    OUT error_count bigint,
    OUT sent_bytes bigint,
    OUT block_hit_count bigint,
    OUT block_read_count bigint,
    OUT block_written_count bigint,
    OUT temp_bytes bigint,
    OUT wal_bytes bigint,
    OUT active_us bigint,
    OUT idle_us bigint,
    OUT idle_in_transaction_us bigint)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_usage';

COMMENT ON FUNCTION pgvalet.usage(text) IS
    'What live and ended sessions cost since started_at, per ''role'', ''database'' or ''application''. object_id is the role or database, NULL for applications and for the overflow entry.';

REVOKE ALL ON FUNCTION pgvalet.usage(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.usage(text) TO pg_monitor;

CREATE FUNCTION pgvalet.summary(
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
GRANT EXECUTE ON FUNCTION pgvalet.summary() TO pg_monitor;

CREATE VIEW pgvalet.backends AS
SELECT s.pid,
       d.datname::text AS database_name,
       r.rolname::text AS role_name,
       s.application_name,
       s.client_addr,
       s.client_port,
       CASE WHEN s.agent_name IS NULL THEN 'direct' ELSE 'agent' END AS connection_kind,
       s.agent_name,
       s.state,
       s.state_since,
       s.connected_at,
       s.login_us,
       s.xact_commit_count,
       s.xact_rollback_count,
       s.statement_count,
       s.row_count,
       s.error_count,
       s.sent_bytes,
       s.block_hit_count,
       s.block_read_count,
       s.block_written_count,
       s.temp_bytes,
       s.wal_bytes,
       s.active_us,
       s.idle_us,
       s.idle_in_transaction_us,
       s.pin_reasons,
       s.pinned_objects,
       s.pinned_since,
       s.moved_settings,
       s.moved_statements
  FROM pgvalet.backend_slots() AS s
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.role_id;

GRANT SELECT ON pgvalet.backends TO PUBLIC;

COMMENT ON VIEW pgvalet.backends IS
    'One row per connected client backend, read from shared memory without locks. Counters start at 0 when the backend connects; they are published at the end of every command. A role without pg_read_all_stats sees the backends of roles whose privileges it has.';
COMMENT ON COLUMN pgvalet.backends.pid IS
    'Operating-system process id of the backend.';
COMMENT ON COLUMN pgvalet.backends.database_name IS
    'Name of the database the backend is connected to; NULL if it was dropped.';
COMMENT ON COLUMN pgvalet.backends.role_name IS
    'Name of the role that logged in; SET ROLE and SET SESSION AUTHORIZATION do not change it. NULL if it was dropped.';
COMMENT ON COLUMN pgvalet.backends.application_name IS
    'The session''s application_name as of the end of its last command.';
COMMENT ON COLUMN pgvalet.backends.client_addr IS
    'Address of the client, or of the agent on agent connections; NULL for a Unix-domain socket.';
COMMENT ON COLUMN pgvalet.backends.client_port IS
    'Port number of the client; -1 for a Unix-domain socket.';
COMMENT ON COLUMN pgvalet.backends.connection_kind IS
    '''agent'' if the connection was opened by a pgvalet agent (pgvalet.agent was set at connection start), else ''direct''.';
COMMENT ON COLUMN pgvalet.backends.agent_name IS
    'What the agent calls itself (its pgvalet.agent); NULL on direct connections.';
COMMENT ON COLUMN pgvalet.backends.state IS
    'What the backend does: ''active'', ''idle'', ''idle in transaction'' or ''idle in transaction (aborted)''.';
COMMENT ON COLUMN pgvalet.backends.state_since IS
    'When the backend entered that state, timestamp.';
COMMENT ON COLUMN pgvalet.backends.connected_at IS
    'When the server accepted the connection, timestamp.';
COMMENT ON COLUMN pgvalet.backends.login_us IS
    'Duration of the login, from accepted connection to ready for the first command, in microseconds.';
COMMENT ON COLUMN pgvalet.backends.xact_commit_count IS
    'Transactions committed.';
COMMENT ON COLUMN pgvalet.backends.xact_rollback_count IS
    'Transactions rolled back, by command or by error.';
COMMENT ON COLUMN pgvalet.backends.statement_count IS
    'Statements completed: one for every CommandComplete or function-call answer sent. Statements that failed count in error_count.';
COMMENT ON COLUMN pgvalet.backends.row_count IS
    'Rows sent to the client, or changed or copied by statements that send none.';
COMMENT ON COLUMN pgvalet.backends.error_count IS
    'Errors sent to the client.';
COMMENT ON COLUMN pgvalet.backends.sent_bytes IS
    'Bytes of protocol messages sent to the client since login, before TLS, in bytes.';
COMMENT ON COLUMN pgvalet.backends.block_hit_count IS
    'Blocks found in shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.backends.block_read_count IS
    'Blocks read from the operating system into shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.backends.block_written_count IS
    'Blocks that had to be written out by these sessions themselves to make room, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.backends.temp_bytes IS
    'Bytes written to temporary files (sorts, hashes, materialised results), in bytes.';
COMMENT ON COLUMN pgvalet.backends.wal_bytes IS
    'Write-ahead log generated, in bytes.';
COMMENT ON COLUMN pgvalet.backends.active_us IS
    'Time spent on commands, from the arrival of a command to the end of its answer, in microseconds, including the running one.';
COMMENT ON COLUMN pgvalet.backends.idle_us IS
    'Time spent waiting for a command outside a transaction, in microseconds, including the present wait.';
COMMENT ON COLUMN pgvalet.backends.idle_in_transaction_us IS
    'Time spent waiting for a command inside an open or failed transaction, in microseconds, including the present wait. Such waits hold locks and a server connection for nothing.';
COMMENT ON COLUMN pgvalet.backends.pin_reasons IS
    'Why the session of an agent connection cannot move to another backend, as of its last transaction: temporary_objects, advisory_locks, held_cursors, listen, random_seed, replication_origin, state_too_large, unknown. NULL: it can, or it is a direct connection.';
COMMENT ON COLUMN pgvalet.backends.pinned_objects IS
    'How many objects (tables, locks, cursors, channels) there are for these reasons; 0 when there is none.';
COMMENT ON COLUMN pgvalet.backends.pinned_since IS
    'Since when the session cannot move, timestamp; NULL when it can.';
COMMENT ON COLUMN pgvalet.backends.moved_settings IS
    'Settings changed at session level that the session of an agent connection carries.';
COMMENT ON COLUMN pgvalet.backends.moved_statements IS
    'Statements prepared by SQL (PREPARE) that the session of an agent connection carries.';

CREATE VIEW pgvalet.usage_by_role AS
SELECT coalesce(o.rolname::text, u.name, pg_catalog.format('(dropped %s)', u.object_id)) AS role_name,
       u.session_count,
       u.live_session_count,
       u.xact_commit_count,
       u.xact_rollback_count,
       u.statement_count,
       u.row_count,
       u.error_count,
       u.sent_bytes,
       u.block_hit_count,
       u.block_read_count,
       u.block_written_count,
       u.temp_bytes,
       u.wal_bytes,
       u.active_us,
       u.idle_us,
       u.idle_in_transaction_us
  FROM pgvalet.usage('role') AS u
  LEFT JOIN pg_catalog.pg_roles AS o ON o.oid = u.object_id;

GRANT SELECT ON pgvalet.usage_by_role TO pg_monitor;

COMMENT ON VIEW pgvalet.usage_by_role IS
    'One row per role that logged in since started_at, ended sessions included.';
COMMENT ON COLUMN pgvalet.usage_by_role.role_name IS
    'Name of the role that logged in; ''(dropped OID)'' if it no longer exists; ''(other)'' for the roles that found no room (pgvalet.max_roles).';
COMMENT ON COLUMN pgvalet.usage_by_role.session_count IS
    'Sessions since started_at, live ones included.';
COMMENT ON COLUMN pgvalet.usage_by_role.live_session_count IS
    'Sessions connected now.';
COMMENT ON COLUMN pgvalet.usage_by_role.xact_commit_count IS
    'Transactions committed.';
COMMENT ON COLUMN pgvalet.usage_by_role.xact_rollback_count IS
    'Transactions rolled back, by command or by error.';
COMMENT ON COLUMN pgvalet.usage_by_role.statement_count IS
    'Statements completed: one for every CommandComplete or function-call answer sent. Statements that failed count in error_count.';
COMMENT ON COLUMN pgvalet.usage_by_role.row_count IS
    'Rows sent to the client, or changed or copied by statements that send none.';
COMMENT ON COLUMN pgvalet.usage_by_role.error_count IS
    'Errors sent to the client.';
COMMENT ON COLUMN pgvalet.usage_by_role.sent_bytes IS
    'Bytes of protocol messages sent to the client since login, before TLS, in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_role.block_hit_count IS
    'Blocks found in shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_role.block_read_count IS
    'Blocks read from the operating system into shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_role.block_written_count IS
    'Blocks that had to be written out by these sessions themselves to make room, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_role.temp_bytes IS
    'Bytes written to temporary files (sorts, hashes, materialised results), in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_role.wal_bytes IS
    'Write-ahead log generated, in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_role.active_us IS
    'Time spent on commands, from the arrival of a command to the end of its answer, in microseconds, including the running one.';
COMMENT ON COLUMN pgvalet.usage_by_role.idle_us IS
    'Time spent waiting for a command outside a transaction, in microseconds, including the present wait.';
COMMENT ON COLUMN pgvalet.usage_by_role.idle_in_transaction_us IS
    'Time spent waiting for a command inside an open or failed transaction, in microseconds, including the present wait. Such waits hold locks and a server connection for nothing.';

CREATE VIEW pgvalet.usage_by_database AS
SELECT coalesce(o.datname::text, u.name, pg_catalog.format('(dropped %s)', u.object_id)) AS database_name,
       u.session_count,
       u.live_session_count,
       u.xact_commit_count,
       u.xact_rollback_count,
       u.statement_count,
       u.row_count,
       u.error_count,
       u.sent_bytes,
       u.block_hit_count,
       u.block_read_count,
       u.block_written_count,
       u.temp_bytes,
       u.wal_bytes,
       u.active_us,
       u.idle_us,
       u.idle_in_transaction_us
  FROM pgvalet.usage('database') AS u
  LEFT JOIN pg_catalog.pg_database AS o ON o.oid = u.object_id;

GRANT SELECT ON pgvalet.usage_by_database TO pg_monitor;

COMMENT ON VIEW pgvalet.usage_by_database IS
    'One row per database that sessions connected to since started_at, ended sessions included.';
COMMENT ON COLUMN pgvalet.usage_by_database.database_name IS
    'Name of the database; ''(dropped OID)'' if it no longer exists; ''(other)'' for the databases that found no room (pgvalet.max_databases).';
COMMENT ON COLUMN pgvalet.usage_by_database.session_count IS
    'Sessions since started_at, live ones included.';
COMMENT ON COLUMN pgvalet.usage_by_database.live_session_count IS
    'Sessions connected now.';
COMMENT ON COLUMN pgvalet.usage_by_database.xact_commit_count IS
    'Transactions committed.';
COMMENT ON COLUMN pgvalet.usage_by_database.xact_rollback_count IS
    'Transactions rolled back, by command or by error.';
COMMENT ON COLUMN pgvalet.usage_by_database.statement_count IS
    'Statements completed: one for every CommandComplete or function-call answer sent. Statements that failed count in error_count.';
COMMENT ON COLUMN pgvalet.usage_by_database.row_count IS
    'Rows sent to the client, or changed or copied by statements that send none.';
COMMENT ON COLUMN pgvalet.usage_by_database.error_count IS
    'Errors sent to the client.';
COMMENT ON COLUMN pgvalet.usage_by_database.sent_bytes IS
    'Bytes of protocol messages sent to the client since login, before TLS, in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_database.block_hit_count IS
    'Blocks found in shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_database.block_read_count IS
    'Blocks read from the operating system into shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_database.block_written_count IS
    'Blocks that had to be written out by these sessions themselves to make room, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_database.temp_bytes IS
    'Bytes written to temporary files (sorts, hashes, materialised results), in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_database.wal_bytes IS
    'Write-ahead log generated, in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_database.active_us IS
    'Time spent on commands, from the arrival of a command to the end of its answer, in microseconds, including the running one.';
COMMENT ON COLUMN pgvalet.usage_by_database.idle_us IS
    'Time spent waiting for a command outside a transaction, in microseconds, including the present wait.';
COMMENT ON COLUMN pgvalet.usage_by_database.idle_in_transaction_us IS
    'Time spent waiting for a command inside an open or failed transaction, in microseconds, including the present wait. Such waits hold locks and a server connection for nothing.';

CREATE VIEW pgvalet.usage_by_application AS
SELECT u.name AS application_name,
       u.session_count,
       u.live_session_count,
       u.xact_commit_count,
       u.xact_rollback_count,
       u.statement_count,
       u.row_count,
       u.error_count,
       u.sent_bytes,
       u.block_hit_count,
       u.block_read_count,
       u.block_written_count,
       u.temp_bytes,
       u.wal_bytes,
       u.active_us,
       u.idle_us,
       u.idle_in_transaction_us
  FROM pgvalet.usage('application') AS u;

GRANT SELECT ON pgvalet.usage_by_application TO pg_monitor;

COMMENT ON VIEW pgvalet.usage_by_application IS
    'One row per application_name used since started_at, ended sessions included.';
COMMENT ON COLUMN pgvalet.usage_by_application.application_name IS
    'The application_name in force while the usage arose; a session that changes its name goes on in the row of the new one. ''(other)'' for the names that found no room (pgvalet.max_applications).';
COMMENT ON COLUMN pgvalet.usage_by_application.session_count IS
    'Sessions that used this name, live ones included; a session counts once under each name it used.';
COMMENT ON COLUMN pgvalet.usage_by_application.live_session_count IS
    'Sessions connected now that have this name now.';
COMMENT ON COLUMN pgvalet.usage_by_application.xact_commit_count IS
    'Transactions committed.';
COMMENT ON COLUMN pgvalet.usage_by_application.xact_rollback_count IS
    'Transactions rolled back, by command or by error.';
COMMENT ON COLUMN pgvalet.usage_by_application.statement_count IS
    'Statements completed: one for every CommandComplete or function-call answer sent. Statements that failed count in error_count.';
COMMENT ON COLUMN pgvalet.usage_by_application.row_count IS
    'Rows sent to the client, or changed or copied by statements that send none.';
COMMENT ON COLUMN pgvalet.usage_by_application.error_count IS
    'Errors sent to the client.';
COMMENT ON COLUMN pgvalet.usage_by_application.sent_bytes IS
    'Bytes of protocol messages sent to the client since login, before TLS, in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_application.block_hit_count IS
    'Blocks found in shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_application.block_read_count IS
    'Blocks read from the operating system into shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_application.block_written_count IS
    'Blocks that had to be written out by these sessions themselves to make room, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.usage_by_application.temp_bytes IS
    'Bytes written to temporary files (sorts, hashes, materialised results), in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_application.wal_bytes IS
    'Write-ahead log generated, in bytes.';
COMMENT ON COLUMN pgvalet.usage_by_application.active_us IS
    'Time spent on commands, from the arrival of a command to the end of its answer, in microseconds, including the running one.';
COMMENT ON COLUMN pgvalet.usage_by_application.idle_us IS
    'Time spent waiting for a command outside a transaction, in microseconds, including the present wait.';
COMMENT ON COLUMN pgvalet.usage_by_application.idle_in_transaction_us IS
    'Time spent waiting for a command inside an open or failed transaction, in microseconds, including the present wait. Such waits hold locks and a server connection for nothing.';

CREATE VIEW pgvalet.summary AS
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

GRANT SELECT ON pgvalet.summary TO pg_monitor;

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
