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
    OUT moved_statements integer,
    OUT memory_bytes bigint,
    OUT memory_sampled_at timestamptz,
    OUT cpu_user_us bigint,
    OUT cpu_system_us bigint,
    OUT cpu_sampled_at timestamptz,
    OUT locks_held integer,
    OUT xmin_age integer,
    OUT wait_event_type text,
    OUT wait_event text,
    OUT wait_lock_us bigint,
    OUT wait_lwlock_us bigint,
    OUT wait_io_us bigint,
    OUT wait_ipc_us bigint,
    OUT wait_client_us bigint,
    OUT wait_timeout_us bigint,
    OUT wait_other_us bigint,
    OUT running_us bigint,
    OUT query_id bigint,
    OUT query text,
    OUT agent_client_addr inet,
    OUT agent_client_port integer,
    OUT agent_application_name text,
    OUT leased_since timestamptz,
    OUT agent_reported_at timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_backend_rows';

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
       s.moved_statements,
       s.memory_bytes,
       s.memory_sampled_at,
       s.cpu_user_us,
       s.cpu_system_us,
       s.cpu_sampled_at,
       s.locks_held,
       s.xmin_age,
       s.wait_event_type,
       s.wait_event,
       s.wait_lock_us,
       s.wait_lwlock_us,
       s.wait_io_us,
       s.wait_ipc_us,
       s.wait_client_us,
       s.wait_timeout_us,
       s.wait_other_us,
       s.running_us,
       s.query_id,
       s.query,
       s.agent_client_addr,
       s.agent_client_port,
       s.agent_application_name,
       s.leased_since,
       s.agent_reported_at
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
    'Why the session of an agent connection cannot move to another backend, as of its last transaction: temporary_objects, advisory_locks, held_cursors, listen, random_seed, replication_origin, privileged_settings, state_too_large, unknown. NULL: it can, or it is a direct connection.';
COMMENT ON COLUMN pgvalet.backends.pinned_objects IS
    'How many objects (tables, locks, cursors, channels) there are for these reasons; 0 when there is none.';
COMMENT ON COLUMN pgvalet.backends.pinned_since IS
    'Since when the session cannot move, timestamp; NULL when it can.';
COMMENT ON COLUMN pgvalet.backends.moved_settings IS
    'Settings changed at session level that the session of an agent connection carries.';
COMMENT ON COLUMN pgvalet.backends.moved_statements IS
    'Statements prepared by SQL (PREPARE) that the session of an agent connection carries.';
COMMENT ON COLUMN pgvalet.backends.memory_bytes IS
    'Memory that the backend has taken for its own data (all memory contexts), in bytes, at memory_sampled_at. Shared buffers and the program itself are not in it.';
COMMENT ON COLUMN pgvalet.backends.memory_sampled_at IS
    'When memory_bytes was added up, timestamp: at the end of a command, if that took longer than 100 ms or 5 s have gone by since the last time.';
COMMENT ON COLUMN pgvalet.backends.cpu_user_us IS
    'CPU time of the backend in user mode since it started, in microseconds, at cpu_sampled_at; NULL before the first sample (pgvalet.sample_interval).';
COMMENT ON COLUMN pgvalet.backends.cpu_system_us IS
    'CPU time of the backend in the kernel since it started, in microseconds, at cpu_sampled_at; NULL before the first sample.';
COMMENT ON COLUMN pgvalet.backends.cpu_sampled_at IS
    'When the collector read the CPU times last, timestamp. It leaves out backends that have done nothing since.';
COMMENT ON COLUMN pgvalet.backends.locks_held IS
    'Different locks that the backend held at the end of its last command, number of locks.';
COMMENT ON COLUMN pgvalet.backends.xmin_age IS
    'How many transactions ago the oldest one began whose row versions the backend keeps from being removed, in transactions, now; NULL if it keeps none.';
COMMENT ON COLUMN pgvalet.backends.wait_event_type IS
    'What kind of thing the backend waits for now, as in pg_stat_activity; NULL if it does not wait.';
COMMENT ON COLUMN pgvalet.backends.wait_event IS
    'What it waits for now, as in pg_stat_activity; NULL if it does not wait.';
COMMENT ON COLUMN pgvalet.backends.wait_lock_us IS
    'Active time spent waiting for locks on tables, rows and the like, in microseconds, by samples. What active_us has more than all these classes has not been attributed yet.';
COMMENT ON COLUMN pgvalet.backends.wait_lwlock_us IS
    'Active time spent waiting for locks on the server''s own memory, in microseconds, by samples.';
COMMENT ON COLUMN pgvalet.backends.wait_io_us IS
    'Active time spent waiting for files, in microseconds, by samples.';
COMMENT ON COLUMN pgvalet.backends.wait_ipc_us IS
    'Active time spent waiting for other processes of the server, in microseconds, by samples.';
COMMENT ON COLUMN pgvalet.backends.wait_client_us IS
    'Active time spent waiting for the client to take or send data, in microseconds, by samples.';
COMMENT ON COLUMN pgvalet.backends.wait_timeout_us IS
    'Active time spent waiting for a time to come (pg_sleep, delays of vacuum), in microseconds, by samples.';
COMMENT ON COLUMN pgvalet.backends.wait_other_us IS
    'Active time spent waiting for anything else (pinned buffers, extensions), in microseconds, by samples.';
COMMENT ON COLUMN pgvalet.backends.running_us IS
    'Active time in which the backend waited for nothing that the server knows of, in microseconds, by samples.';
COMMENT ON COLUMN pgvalet.backends.query_id IS
    'Query id of the statement that runs, or of the last one; NULL if the server computed none (pgvalet.track_queries, compute_query_id).';
COMMENT ON COLUMN pgvalet.backends.query IS
    'Text of the statement that runs, or of the last one, cut off at track_activity_query_size; NULL if there was none.';
COMMENT ON COLUMN pgvalet.backends.agent_client_addr IS
    'Behind an agent: address of the client that has this connection, at agent_reported_at; NULL for a Unix-domain socket, and if no client has it.';
COMMENT ON COLUMN pgvalet.backends.agent_client_port IS
    'Behind an agent: TCP port of that client, -1 for a Unix-domain socket; NULL if no client has the connection.';
COMMENT ON COLUMN pgvalet.backends.agent_application_name IS
    'Behind an agent: the application_name of that client; NULL if no client has the connection.';
COMMENT ON COLUMN pgvalet.backends.leased_since IS
    'Behind an agent: since when that client has this connection, timestamp; NULL if no client has it.';
COMMENT ON COLUMN pgvalet.backends.agent_reported_at IS
    'Behind an agent: when it last told who has its connections, timestamp; NULL if it has not, and on direct connections.';
