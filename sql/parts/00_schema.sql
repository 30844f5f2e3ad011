-- The schema.  Only in a new installation: an update has it already.

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
