-- Ended sessions: who they were, what they cost, how they ended.

CREATE OR REPLACE FUNCTION pgvalet.ended_sessions(
    OUT sequence bigint,
    OUT pid integer,
    OUT database_id oid,
    OUT role_id oid,
    OUT application_name text,
    OUT client_addr inet,
    OUT client_port integer,
    OUT agent_name text,
    OUT connected_at timestamptz,
    OUT ended_at timestamptz,
    OUT how_ended text,
    OUT end_rule text,
    OUT end_sqlstate text,
    OUT login_us bigint,
    OUT cpu_user_us bigint,
    OUT cpu_system_us bigint,
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
AS 'MODULE_PATHNAME', 'pgvalet_ended_sessions';

COMMENT ON FUNCTION pgvalet.ended_sessions() IS
    'The ended sessions that the caller may see; pgvalet.sessions gives the ids names.';

CREATE OR REPLACE VIEW pgvalet.sessions AS
SELECT s.sequence,
       s.pid,
       coalesce(d.datname::text, pg_catalog.format('(dropped %s)', s.database_id)) AS database_name,
       coalesce(r.rolname::text, pg_catalog.format('(dropped %s)', s.role_id)) AS role_name,
       s.application_name,
       s.client_addr,
       s.client_port,
       CASE WHEN s.agent_name IS NULL THEN 'direct' ELSE 'agent' END AS connection_kind,
       s.agent_name,
       s.connected_at,
       s.ended_at,
       s.how_ended,
       s.end_rule,
       s.end_sqlstate,
       s.login_us,
       s.cpu_user_us,
       s.cpu_system_us,
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
       s.idle_in_transaction_us
  FROM pgvalet.ended_sessions() AS s
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.database_id
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.role_id;

GRANT SELECT ON pgvalet.sessions TO PUBLIC;

COMMENT ON VIEW pgvalet.sessions IS
    'One row per ended session, oldest first, the last pgvalet.max_ended_sessions of them; they outlive a restart and a crash. A role without pg_read_all_stats sees the sessions of roles whose privileges it has.';
COMMENT ON COLUMN pgvalet.sessions.sequence IS
    'Number of the ended session: 1, 2, ... in the order in which they ended, never given twice.';
COMMENT ON COLUMN pgvalet.sessions.pid IS
    'Operating-system process id that its backend had.';
COMMENT ON COLUMN pgvalet.sessions.database_name IS
    'Database it was connected to; ''(dropped OID)'' if that no longer exists.';
COMMENT ON COLUMN pgvalet.sessions.role_name IS
    'Role that logged in; ''(dropped OID)'' if it no longer exists.';
COMMENT ON COLUMN pgvalet.sessions.application_name IS
    'Its last application_name.';
COMMENT ON COLUMN pgvalet.sessions.client_addr IS
    'Address of the client, or of the agent on agent connections; NULL for a Unix-domain socket.';
COMMENT ON COLUMN pgvalet.sessions.client_port IS
    'Port number of the client; -1 for a Unix-domain socket.';
COMMENT ON COLUMN pgvalet.sessions.connection_kind IS
    '''agent'' if the connection was opened by a pgvalet agent (pgvalet.agent was set at connection start), else ''direct''.';
COMMENT ON COLUMN pgvalet.sessions.agent_name IS
    'What the agent called itself (its pgvalet.agent); NULL on direct connections.';
COMMENT ON COLUMN pgvalet.sessions.connected_at IS
    'When the server accepted the connection, timestamp.';
COMMENT ON COLUMN pgvalet.sessions.ended_at IS
    'When the session ended, timestamp; after a crash, when the server threw its memory away.';
COMMENT ON COLUMN pgvalet.sessions.how_ended IS
    '''client'' (it said goodbye), ''abandoned'' (it vanished), ''killed'' (pg_terminate_backend() or shutdown), ''policy'' (a rule or a timeout, see end_rule), ''error'' (another FATAL error), ''crash'' (the server lost its memory while the session was connected).';
COMMENT ON COLUMN pgvalet.sessions.end_rule IS
    'Rule of pgvalet or setting that ended it; NULL if none did.';
COMMENT ON COLUMN pgvalet.sessions.end_sqlstate IS
    'SQLSTATE of the FATAL error that ended it; NULL if there was none, or the server logged none (log_min_messages = panic).';
COMMENT ON COLUMN pgvalet.sessions.login_us IS
    'Duration of the login, from accepted connection to ready for the first command, in microseconds.';
COMMENT ON COLUMN pgvalet.sessions.cpu_user_us IS
    'CPU time of its backend in user mode, login included, in microseconds; 0 after a crash.';
COMMENT ON COLUMN pgvalet.sessions.cpu_system_us IS
    'CPU time of its backend in the kernel, login included, in microseconds; 0 after a crash.';
COMMENT ON COLUMN pgvalet.sessions.xact_commit_count IS
    'Transactions committed.';
COMMENT ON COLUMN pgvalet.sessions.xact_rollback_count IS
    'Transactions rolled back, by command or by error.';
COMMENT ON COLUMN pgvalet.sessions.statement_count IS
    'Statements completed: one for every CommandComplete or function-call answer sent. Statements that failed count in error_count.';
COMMENT ON COLUMN pgvalet.sessions.row_count IS
    'Rows sent to the client, or changed or copied by statements that send none.';
COMMENT ON COLUMN pgvalet.sessions.error_count IS
    'Errors sent to the client.';
COMMENT ON COLUMN pgvalet.sessions.sent_bytes IS
    'Bytes of protocol messages sent to the client since login, before TLS, in bytes.';
COMMENT ON COLUMN pgvalet.sessions.block_hit_count IS
    'Blocks found in shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.sessions.block_read_count IS
    'Blocks read from the operating system into shared or local buffers, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.sessions.block_written_count IS
    'Blocks that had to be written out by these sessions themselves to make room, in blocks of block_size.';
COMMENT ON COLUMN pgvalet.sessions.temp_bytes IS
    'Bytes written to temporary files (sorts, hashes, materialised results), in bytes.';
COMMENT ON COLUMN pgvalet.sessions.wal_bytes IS
    'Write-ahead log generated, in bytes.';
COMMENT ON COLUMN pgvalet.sessions.active_us IS
    'Time spent on commands, from the arrival of a command to the end of its answer, in microseconds.';
COMMENT ON COLUMN pgvalet.sessions.idle_us IS
    'Time spent waiting for a command outside a transaction, in microseconds.';
COMMENT ON COLUMN pgvalet.sessions.idle_in_transaction_us IS
    'Time spent waiting for a command inside an open or failed transaction, in microseconds.';
