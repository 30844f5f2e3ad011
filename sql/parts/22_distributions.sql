-- How long things take: distributions by role, database and application.

CREATE OR REPLACE FUNCTION pgvalet.distribution_rows(
    dimension text,
    OUT object_id oid,
    OUT name text,
    OUT measure text,
    OUT count bigint,
    OUT sum_us bigint,
    OUT p50_us bigint,
    OUT p90_us bigint,
    OUT p95_us bigint,
    OUT p99_us bigint,
    OUT max_us bigint)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_distribution_rows';

COMMENT ON FUNCTION pgvalet.distribution_rows(text) IS
    'The distributions per ''role'', ''database'' or ''application''. object_id is the role or database, NULL for applications and for the overflow entry; pgvalet.distributions gives the ids names.';

REVOKE ALL ON FUNCTION pgvalet.distribution_rows(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.distribution_rows(text) TO pg_read_all_stats;

CREATE OR REPLACE FUNCTION pgvalet.histogram_rows(
    dimension text,
    measure text,
    OUT object_id oid,
    OUT name text,
    OUT lowest_us bigint,
    OUT highest_us bigint,
    OUT count bigint)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_histogram_rows';

COMMENT ON FUNCTION pgvalet.histogram_rows(text, text) IS
    'The buckets in use of all distributions of one measure per ''role'', ''database'' or ''application''; pgvalet.histogram() gives those of one name.';

REVOKE ALL ON FUNCTION pgvalet.histogram_rows(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.histogram_rows(text, text) TO pg_read_all_stats;

CREATE OR REPLACE FUNCTION pgvalet.histogram(dimension text, name text, measure text)
RETURNS TABLE (lowest_us bigint, highest_us bigint, count bigint, cumulative_count bigint)
LANGUAGE sql VOLATILE STRICT PARALLEL RESTRICTED
AS $$
SELECT h.lowest_us,
       h.highest_us,
       h.count,
       pg_catalog.sum(h.count) OVER (ORDER BY h.lowest_us)::bigint
  FROM pgvalet.histogram_rows($1, $3) AS h
 WHERE CASE WHEN h.object_id IS NULL THEN h.name = $2
            WHEN $1 = 'role' THEN h.object_id = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = $2)
            ELSE h.object_id = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = $2)
       END
 ORDER BY h.lowest_us
$$;

COMMENT ON FUNCTION pgvalet.histogram(text, text, text) IS
    'The buckets in use of one distribution, shortest times first: times from lowest_us to highest_us (NULL: without end) microseconds, how many there are in the bucket, and in it and all before it. dimension is ''role'', ''database'' or ''application'', name one of them, measure one of those of pgvalet.distributions. No rows if nothing was counted. Error 22023 for a dimension or measure that is not known.';

REVOKE ALL ON FUNCTION pgvalet.histogram(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.histogram(text, text, text) TO pg_read_all_stats;

CREATE OR REPLACE FUNCTION pgvalet.percentile(dimension text, name text, measure text, fraction double precision)
RETURNS bigint
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_percentile';

COMMENT ON FUNCTION pgvalet.percentile(text, text, text, double precision) IS
    'The time in microseconds that this share (0 to 1) of the times of one distribution is not longer than: never too low, at most 25 % too high. Arguments as of pgvalet.histogram(). NULL if nothing was counted. Error 22023 for another share, and for a dimension or measure that is not known.';

REVOKE ALL ON FUNCTION pgvalet.percentile(text, text, text, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.percentile(text, text, text, double precision) TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.distributions AS
SELECT v.dimension,
       coalesce(r.rolname::text, b.datname::text, d.name, pg_catalog.format('(dropped %s)', d.object_id)) AS name,
       d.measure,
       d.count,
       d.sum_us,
       d.p50_us,
       d.p90_us,
       d.p95_us,
       d.p99_us,
       d.max_us
  FROM (VALUES ('role'), ('database'), ('application')) AS v (dimension)
 CROSS JOIN LATERAL pgvalet.distribution_rows(v.dimension) AS d
  LEFT JOIN pg_catalog.pg_roles AS r ON v.dimension = 'role' AND r.oid = d.object_id
  LEFT JOIN pg_catalog.pg_database AS b ON v.dimension = 'database' AND b.oid = d.object_id;

GRANT SELECT ON pgvalet.distributions TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.distributions IS
    'How long statements, transactions, waits inside transactions, sessions and logins take, since counting began or pgvalet.reset(''distributions''); live and ended sessions. Percentiles are never too low, and at most 25 % too high.';
COMMENT ON COLUMN pgvalet.distributions.dimension IS
    '''role'', ''database'' or ''application''.';
COMMENT ON COLUMN pgvalet.distributions.name IS
    'Name of the role, database or application; ''(dropped OID)'' if it no longer exists; ''(other)'' for those that found no room (pgvalet.max_roles, max_databases, max_applications).';
COMMENT ON COLUMN pgvalet.distributions.measure IS
    '''statement'': from the arrival of a statement to the end of its answer. ''transaction'': from the arrival of its first statement to the end of its last one. ''idle_in_transaction'': one wait for the client inside a transaction. ''session'': from connection to end, counted at the end. ''login'': from connection to ready for the first command.';
COMMENT ON COLUMN pgvalet.distributions.count IS
    'How many times were counted.';
COMMENT ON COLUMN pgvalet.distributions.sum_us IS
    'All of them together, in microseconds; exact.';
COMMENT ON COLUMN pgvalet.distributions.p50_us IS
    'Median: half of the times are not longer, in microseconds.';
COMMENT ON COLUMN pgvalet.distributions.p90_us IS
    '90 % of the times are not longer, in microseconds.';
COMMENT ON COLUMN pgvalet.distributions.p95_us IS
    '95 % of the times are not longer, in microseconds.';
COMMENT ON COLUMN pgvalet.distributions.p99_us IS
    '99 % of the times are not longer, in microseconds.';
COMMENT ON COLUMN pgvalet.distributions.max_us IS
    'No time is longer, in microseconds.';
