-- Connected backends: who they are, what they do, what they cost.

CREATE OR REPLACE FUNCTION pgvalet.backend_rows(
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

COMMENT ON FUNCTION pgvalet.backend_rows() IS
    'The slots of the connected backends that the caller may see; pgvalet.backends gives the ids names.';

CREATE OR REPLACE VIEW pgvalet.backends AS
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
  FROM pgvalet.backend_rows() AS s
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
