-- Who reads and writes how much per second, and who logs in how often.

CREATE OR REPLACE FUNCTION pgvalet.rates(
    OUT dimension text,
    OUT object_id oid,
    OUT name text,
    OUT window_minutes integer,
    OUT window_s double precision,
    OUT logins_per_second double precision,
    OUT xacts_per_second double precision,
    OUT read_bytes_per_second double precision,
    OUT written_bytes_per_second double precision,
    OUT temp_bytes_per_second double precision,
    OUT wal_bytes_per_second double precision,
    OUT rollbacks_per_second double precision,
    OUT active_us_per_second double precision,
    OUT idle_in_transaction_us_per_second double precision)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_rates';

COMMENT ON FUNCTION pgvalet.rates() IS
    'What the server, roles, databases and applications do per second over 1, 5 and 60 minutes; pgvalet.io_rates gives the ids names. Times are those of all sessions together. object_id is the role or database, name that of the others.';

REVOKE ALL ON FUNCTION pgvalet.rates() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.rates() TO pg_read_all_stats;

CREATE OR REPLACE FUNCTION pgvalet.io_budget(dimension text, name text)
RETURNS double precision
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_io_budget';

COMMENT ON FUNCTION pgvalet.io_budget(text, text) IS
    'The budget that pgvalet.io_budgets gives to this name of a dimension (''server'', ''role'', ''database'' or ''application''; the name of the server is empty), in bytes per second; NULL if there is none. Error 22023 for another dimension.';

REVOKE ALL ON FUNCTION pgvalet.io_budget(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.io_budget(text, text) TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.io_rates AS
SELECT r.dimension,
       r.name,
       r.window_minutes,
       r.window_s,
       r.io_bytes_per_second,
       r.read_bytes_per_second,
       r.written_bytes_per_second,
       r.temp_bytes_per_second,
       r.wal_bytes_per_second,
       r.xacts_per_second,
       r.budget_bytes_per_second,
       r.io_bytes_per_second / r.budget_bytes_per_second AS budget_share
  FROM (SELECT n.*,
               n.read_bytes_per_second + n.written_bytes_per_second
               + n.temp_bytes_per_second + n.wal_bytes_per_second AS io_bytes_per_second,
               pgvalet.io_budget(n.dimension, n.name) AS budget_bytes_per_second
          FROM (SELECT s.dimension,
                       coalesce(s.name, o.rolname::text, d.datname::text,
                                pg_catalog.format('(dropped %s)', s.object_id)) AS name,
                       s.window_minutes,
                       s.window_s,
                       s.xacts_per_second,
                       s.read_bytes_per_second,
                       s.written_bytes_per_second,
                       s.temp_bytes_per_second,
                       s.wal_bytes_per_second
                  FROM pgvalet.rates() AS s
                  LEFT JOIN pg_catalog.pg_roles AS o
                         ON s.dimension = 'role' AND o.oid = s.object_id
                  LEFT JOIN pg_catalog.pg_database AS d
                         ON s.dimension = 'database' AND d.oid = s.object_id) AS n) AS r;

GRANT SELECT ON pgvalet.io_rates TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.io_rates IS
    'What the server and each role, database and application read and write per second, one row for each of three windows, with the budget of pgvalet.io_budgets. Sampled six times a minute; a running statement counts when it is done.';
COMMENT ON COLUMN pgvalet.io_rates.dimension IS
    '''server'', ''role'', ''database'' or ''application''.';
COMMENT ON COLUMN pgvalet.io_rates.name IS
    'Name of the role or database (''(dropped OID)'' if it no longer exists) or application_name; empty for the server; ''(other)'' for the names that found no room.';
COMMENT ON COLUMN pgvalet.io_rates.window_minutes IS
    'Which window: 1, 5 or 60 minutes back from now.';
COMMENT ON COLUMN pgvalet.io_rates.window_s IS
    'How long it is in truth, in seconds: up to a sixth longer (the hour: a twelfth), and shorter while the server has not run for so long or after pgvalet.reset(''rates'').';
COMMENT ON COLUMN pgvalet.io_rates.io_bytes_per_second IS
    'The sum of the next four, in bytes per second.';
COMMENT ON COLUMN pgvalet.io_rates.read_bytes_per_second IS
    'Blocks read from the operating system into buffers, from its cache or the disk, in bytes per second.';
COMMENT ON COLUMN pgvalet.io_rates.written_bytes_per_second IS
    'Blocks that the sessions themselves had to write out to make room, in bytes per second; what the checkpointer and the background writer write is nobody''s.';
COMMENT ON COLUMN pgvalet.io_rates.temp_bytes_per_second IS
    'Written to temporary files, in bytes per second.';
COMMENT ON COLUMN pgvalet.io_rates.wal_bytes_per_second IS
    'Write-ahead log generated, in bytes per second.';
COMMENT ON COLUMN pgvalet.io_rates.xacts_per_second IS
    'Transactions committed or rolled back, per second.';
COMMENT ON COLUMN pgvalet.io_rates.budget_bytes_per_second IS
    'What pgvalet.io_budgets gives it, in bytes per second; NULL if nothing.';
COMMENT ON COLUMN pgvalet.io_rates.budget_share IS
    'io_bytes_per_second / budget_bytes_per_second: above 1 is over budget; NULL without a budget.';

CREATE OR REPLACE VIEW pgvalet.login_rates AS
SELECT r.name AS application_name,
       max(r.logins_per_second) FILTER (WHERE r.window_minutes = 1) AS logins_per_second_1min,
       max(r.logins_per_second) FILTER (WHERE r.window_minutes = 5) AS logins_per_second_5min,
       max(r.logins_per_second) FILTER (WHERE r.window_minutes = 60) AS logins_per_second_60min
  FROM pgvalet.rates() AS r
 WHERE r.dimension = 'application'
 GROUP BY r.name;

GRANT SELECT ON pgvalet.login_rates TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.login_rates IS
    'One row per application_name: sessions begun per second, under the name they began with. Windows as in pgvalet.io_rates.';
COMMENT ON COLUMN pgvalet.login_rates.application_name IS
    'The application_name; ''(other)'' for the names that found no room.';
COMMENT ON COLUMN pgvalet.login_rates.logins_per_second_1min IS
    'Over the last minute, logins per second.';
COMMENT ON COLUMN pgvalet.login_rates.logins_per_second_5min IS
    'Over the last 5 minutes, logins per second.';
COMMENT ON COLUMN pgvalet.login_rates.logins_per_second_60min IS
    'Over the last hour, logins per second.';

CREATE OR REPLACE VIEW pgvalet.recent_usage AS
SELECT r.name AS application_name,
       pg_catalog.clock_timestamp() - r.window_s * interval '1 second' AS since,
       pg_catalog.round(r.logins_per_second * r.window_s)::bigint AS login_count,
       pg_catalog.round((r.xacts_per_second - r.rollbacks_per_second) * r.window_s)::bigint AS xact_commit_count,
       pg_catalog.round(r.rollbacks_per_second * r.window_s)::bigint AS xact_rollback_count,
       pg_catalog.round(r.temp_bytes_per_second * r.window_s)::bigint AS temp_bytes,
       pg_catalog.round(r.active_us_per_second * r.window_s)::bigint AS active_us,
       pg_catalog.round(r.idle_in_transaction_us_per_second * r.window_s)::bigint AS idle_in_transaction_us
  FROM pgvalet.rates() AS r
 WHERE r.dimension = 'application'
   AND r.window_minutes = 60
   AND r.logins_per_second IS NOT NULL;

GRANT SELECT ON pgvalet.recent_usage TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.recent_usage IS
    'One row per application_name: what its sessions, live and ended, have done in the last hour. pgvalet.usage_by_application has the same since counting began.';
COMMENT ON COLUMN pgvalet.recent_usage.application_name IS
    'The application_name; ''(other)'' for the names that found no room.';
COMMENT ON COLUMN pgvalet.recent_usage.since IS
    'When the hour began, timestamp: 60 to 65 minutes ago, or the start of the server or pgvalet.reset(''rates'') if that was later.';
COMMENT ON COLUMN pgvalet.recent_usage.login_count IS
    'Sessions begun since then, under the name they began with.';
COMMENT ON COLUMN pgvalet.recent_usage.xact_commit_count IS
    'Transactions committed since then.';
COMMENT ON COLUMN pgvalet.recent_usage.xact_rollback_count IS
    'Transactions rolled back since then, by command or by error.';
COMMENT ON COLUMN pgvalet.recent_usage.temp_bytes IS
    'Written to temporary files since then, in bytes.';
COMMENT ON COLUMN pgvalet.recent_usage.active_us IS
    'Time spent on commands since then, all sessions together, in microseconds.';
COMMENT ON COLUMN pgvalet.recent_usage.idle_in_transaction_us IS
    'Time spent waiting for a command inside a transaction since then, all sessions together, in microseconds.';
