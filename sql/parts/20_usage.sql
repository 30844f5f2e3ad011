-- What sessions cost, by role, database and application.

CREATE OR REPLACE FUNCTION pgvalet.usage(
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
    'What live and ended sessions cost since started_at or the last pgvalet.reset(''usage''), per ''role'', ''database'' or ''application''. object_id is the role or database, NULL for applications and for the overflow entry.';

REVOKE ALL ON FUNCTION pgvalet.usage(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.usage(text) TO pg_monitor, pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.usage_by_role AS
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

GRANT SELECT ON pgvalet.usage_by_role TO pg_monitor, pg_read_all_stats;

COMMENT ON VIEW pgvalet.usage_by_role IS
    'One row per role that logged in since started_at or the last pgvalet.reset(''usage''), ended sessions included.';
COMMENT ON COLUMN pgvalet.usage_by_role.role_name IS
    'Name of the role that logged in; ''(dropped OID)'' if it no longer exists; ''(other)'' for the roles that found no room (pgvalet.max_roles).';
COMMENT ON COLUMN pgvalet.usage_by_role.session_count IS
    'Sessions since started_at, live ones included; after pgvalet.reset(''usage'') those that were live then and later ones.';
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

CREATE OR REPLACE VIEW pgvalet.usage_by_database AS
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

GRANT SELECT ON pgvalet.usage_by_database TO pg_monitor, pg_read_all_stats;

COMMENT ON VIEW pgvalet.usage_by_database IS
    'One row per database that sessions connected to since started_at or the last pgvalet.reset(''usage''), ended sessions included.';
COMMENT ON COLUMN pgvalet.usage_by_database.database_name IS
    'Name of the database; ''(dropped OID)'' if it no longer exists; ''(other)'' for the databases that found no room (pgvalet.max_databases).';
COMMENT ON COLUMN pgvalet.usage_by_database.session_count IS
    'Sessions since started_at, live ones included; after pgvalet.reset(''usage'') those that were live then and later ones.';
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

CREATE OR REPLACE VIEW pgvalet.usage_by_application AS
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

GRANT SELECT ON pgvalet.usage_by_application TO pg_monitor, pg_read_all_stats;

COMMENT ON VIEW pgvalet.usage_by_application IS
    'One row per application_name used since started_at or the last pgvalet.reset(''usage''), ended sessions included.';
COMMENT ON COLUMN pgvalet.usage_by_application.application_name IS
    'The application_name in force while the usage arose; a session that changes its name goes on in the row of the new one. ''(other)'' for the names that found no room (pgvalet.max_applications) or gave theirs to a new one.';
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
