-- Statements that an application sends many times in one transaction.

CREATE OR REPLACE FUNCTION pgvalet.repetition_rows(
    OUT application_name text,
    OUT database_id oid,
    OUT query_id bigint,
    OUT transaction_count bigint,
    OUT execution_count bigint,
    OUT highest_count bigint,
    OUT first_seen_at timestamptz,
    OUT last_seen_at timestamptz,
    OUT query text)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_repetition_rows';

COMMENT ON FUNCTION pgvalet.repetition_rows() IS
    'The rows of pgvalet.repeated_statements, which gives the ids names.';

REVOKE ALL ON FUNCTION pgvalet.repetition_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.repetition_rows() TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.repeated_statements AS
SELECT r.application_name,
       coalesce(d.datname::text, pg_catalog.format('(dropped %s)', r.database_id)) AS database_name,
       r.query_id,
       r.transaction_count,
       r.execution_count,
       r.highest_count,
       r.first_seen_at,
       r.last_seen_at,
       r.query
  FROM pgvalet.repetition_rows() AS r
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = r.database_id
 ORDER BY r.execution_count DESC;

GRANT SELECT ON pgvalet.repeated_statements TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.repeated_statements IS
    'Statements that an application sent at least pgvalet.repetition_threshold times in one transaction: loops that could be one statement. The last pgvalet.max_repeated_statements seen, most executions first.';
COMMENT ON COLUMN pgvalet.repeated_statements.application_name IS
    'The session''s application_name when the transaction ended.';
COMMENT ON COLUMN pgvalet.repeated_statements.database_name IS
    'Database of the session; ''(dropped OID)'' if it no longer exists.';
COMMENT ON COLUMN pgvalet.repeated_statements.query_id IS
    'Query id of the statement: the same whatever its constants are.';
COMMENT ON COLUMN pgvalet.repeated_statements.transaction_count IS
    'Transactions that sent it so often, number of transactions.';
COMMENT ON COLUMN pgvalet.repeated_statements.execution_count IS
    'How often they sent it, all together.';
COMMENT ON COLUMN pgvalet.repeated_statements.highest_count IS
    'How often it was sent in one transaction, at most.';
COMMENT ON COLUMN pgvalet.repeated_statements.first_seen_at IS
    'When such a transaction ended first, timestamp (arrival of its last command).';
COMMENT ON COLUMN pgvalet.repeated_statements.last_seen_at IS
    'When one ended last, timestamp (arrival of its last command).';
COMMENT ON COLUMN pgvalet.repeated_statements.query IS
    'The statement as it was sent once, with its constants; the first 299 bytes.';
