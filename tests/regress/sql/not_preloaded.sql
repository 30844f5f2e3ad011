--
-- Without preloading the extension can be created, and its views say what is
-- missing.
--
CREATE EXTENSION pgvalet;
\set VERBOSITY sqlstate
SELECT * FROM pgvalet.backends;
\set VERBOSITY default
SELECT * FROM pgvalet.summary;
SELECT * FROM pgvalet.usage_by_role;
SELECT * FROM pgvalet.usage_by_database;
SELECT * FROM pgvalet.usage_by_application;
DROP EXTENSION pgvalet;
