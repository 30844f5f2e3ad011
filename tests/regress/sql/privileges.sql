--
-- Aggregates are for pg_monitor; a role sees its own backends.  (That it sees
-- no others: test_views.py, which has several sessions.)
--
CREATE EXTENSION pgvalet;
CREATE ROLE regress_pgvalet_plain;
CREATE ROLE regress_pgvalet_monitor;
CREATE ROLE regress_pgvalet_stats;
GRANT pg_monitor TO regress_pgvalet_monitor;
GRANT pg_read_all_stats TO regress_pgvalet_stats;

-- The session belongs to the role that logged in, whatever SET ROLE says: this
-- one cannot see it.
SET ROLE regress_pgvalet_plain;
SELECT count(*) FROM pgvalet.backends;
SELECT count(*) FROM pgvalet.backend_rows();
SELECT * FROM pgvalet.summary;
SELECT * FROM pgvalet.usage_by_role;
SELECT * FROM pgvalet.usage_by_database;
SELECT * FROM pgvalet.usage_by_application;
SELECT * FROM pgvalet.summary();
SELECT * FROM pgvalet.usage('role');
RESET ROLE;

SET ROLE regress_pgvalet_monitor;
SELECT count(*) FROM pgvalet.backends WHERE pid = pg_backend_pid();
SELECT count(*) FROM pgvalet.summary;
SELECT count(*) > 0 AS readable FROM pgvalet.usage_by_role;
SELECT count(*) > 0 AS readable FROM pgvalet.usage_by_database;
SELECT count(*) > 0 AS readable FROM pgvalet.usage_by_application;
RESET ROLE;

-- All that is statistics is for pg_read_all_stats, of which pg_monitor is a member.
SET ROLE regress_pgvalet_stats;
SELECT count(*) FROM pgvalet.backends WHERE pid = pg_backend_pid();
SELECT count(*) FROM pgvalet.summary;
SELECT count(*) > 0 AS readable FROM pgvalet.usage_by_role;
RESET ROLE;

-- A mistake in the direct call is said clearly.
SELECT * FROM pgvalet.usage('colour');

DROP ROLE regress_pgvalet_plain, regress_pgvalet_monitor, regress_pgvalet_stats;
DROP EXTENSION pgvalet;
