-- What the extension keeps in shared memory, and forgetting it.

CREATE OR REPLACE FUNCTION pgvalet.memory(
    OUT part text,
    OUT bytes bigint,
    OUT used_entries bigint,
    OUT max_entries bigint,
    OUT reset_at timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_memory';

COMMENT ON FUNCTION pgvalet.memory() IS
    'The rows of the view pgvalet.memory.';

REVOKE ALL ON FUNCTION pgvalet.memory() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.memory() TO pg_read_all_stats;

CREATE OR REPLACE FUNCTION pgvalet.reset(part text DEFAULT 'all')
RETURNS void
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_reset';

COMMENT ON FUNCTION pgvalet.reset(text) IS
    'Forgets what one part (a name of pgvalet.memory) or all parts have counted; the time stands in pgvalet.memory.reset_at. Error 22023 for a part that is not there or counts nothing, 22004 for NULL.';

REVOKE ALL ON FUNCTION pgvalet.reset(text) FROM PUBLIC;

CREATE OR REPLACE VIEW pgvalet.memory AS
SELECT m.part,
       m.bytes,
       m.used_entries,
       m.max_entries,
       m.reset_at
  FROM pgvalet.memory() AS m;

GRANT SELECT ON pgvalet.memory TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.memory IS
    'Shared memory of the extension by part. It is taken at server start and never grows.';
COMMENT ON COLUMN pgvalet.memory.part IS
    'Name of the part, also for pgvalet.reset().';
COMMENT ON COLUMN pgvalet.memory.bytes IS
    'Its size, in bytes.';
COMMENT ON COLUMN pgvalet.memory.used_entries IS
    'Entries in use, number; NULL for parts that have none.';
COMMENT ON COLUMN pgvalet.memory.max_entries IS
    'Entries there is room for, number; NULL for parts that have none.';
COMMENT ON COLUMN pgvalet.memory.reset_at IS
    'When pgvalet.reset() emptied it last, timestamp; NULL if never since the server started.';
