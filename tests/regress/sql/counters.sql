--
-- What a session did is counted exactly.
--
-- A query on pgvalet.backends shows what was before it: between two of them is
-- the first one itself and what stands between them.
--
CREATE EXTENSION pgvalet;

CREATE VIEW own AS
SELECT statement_count AS statements, row_count AS "rows", error_count AS errors,
       xact_commit_count AS commits, xact_rollback_count AS rollbacks
  FROM pgvalet.backends
 WHERE pid = pg_backend_pid();

CREATE TABLE numbers (n integer);

-- Nothing between: one statement, one row, one transaction.
SELECT * FROM own \gset a_
SELECT statements - :a_statements AS statements, "rows" - :a_rows AS "rows",
       errors - :a_errors AS errors, commits - :a_commits AS commits,
       rollbacks - :a_rollbacks AS rollbacks FROM own;

-- Rows that are sent.
SELECT * FROM own \gset a_
SELECT count(*) FROM (SELECT generate_series(1, 500)) AS s;
SELECT generate_series(1, 3) AS sent;
SELECT statements - :a_statements AS statements, "rows" - :a_rows AS "rows" FROM own;

-- Rows that are changed, sent as well, or copied, count once.
SELECT * FROM own \gset a_
INSERT INTO numbers SELECT generate_series(1, 10);
UPDATE numbers SET n = n + 1 WHERE n <= 4;
DELETE FROM numbers WHERE n = 10 RETURNING n;
COPY numbers FROM stdin;
1
2
\.
CREATE TABLE copied AS SELECT * FROM numbers;
SELECT statements - :a_statements AS statements, "rows" - :a_rows AS "rows" FROM own;

-- A transaction block is one transaction, a cursor counts what it fetches.
SELECT * FROM own \gset a_
BEGIN;
DECLARE c CURSOR FOR SELECT n FROM copied ORDER BY n;
FETCH 2 FROM c;
MOVE 1 FROM c;
FETCH 1 FROM c;
COMMIT;
SELECT statements - :a_statements AS statements, "rows" - :a_rows AS "rows",
       commits - :a_commits AS commits, rollbacks - :a_rollbacks AS rollbacks FROM own;

-- Errors, inside and outside a transaction block.
SELECT * FROM own \gset a_
SELECT 1 / 0;
BEGIN;
SELECT 1 / 0;
SELECT 1;
ROLLBACK;
SELECT statements - :a_statements AS statements, errors - :a_errors AS errors,
       commits - :a_commits AS commits, rollbacks - :a_rollbacks AS rollbacks FROM own;

-- Rows that were sent before the error count.
SELECT * FROM own \gset a_
SELECT 1 / (3 - n) AS sent FROM generate_series(1, 5) AS n;
SELECT statements - :a_statements AS statements, "rows" - :a_rows AS "rows",
       errors - :a_errors AS errors FROM own;

-- Several statements in one message; a subtransaction is not a transaction.
SELECT * FROM own \gset a_
SELECT 1 AS one\; SELECT 2 AS two\; SELECT 3 AS three;
DO $$
BEGIN
    PERFORM 1 / 0;
EXCEPTION WHEN division_by_zero THEN
    NULL;
END
$$;
SELECT statements - :a_statements AS statements, "rows" - :a_rows AS "rows",
       errors - :a_errors AS errors, commits - :a_commits AS commits,
       rollbacks - :a_rollbacks AS rollbacks FROM own;

-- A procedure that commits: its transactions, but one statement.
CREATE PROCEDURE commit_twice() LANGUAGE plpgsql AS $$
BEGIN
    COMMIT;
    COMMIT;
END
$$;
SELECT * FROM own \gset a_
CALL commit_twice();
SELECT statements - :a_statements AS statements, commits - :a_commits AS commits FROM own;

-- A prepared transaction counts when it is finished.
SELECT * FROM own \gset a_
BEGIN;
INSERT INTO numbers VALUES (0);
PREPARE TRANSACTION 'regress_pgvalet';
SELECT commits - :a_commits AS commits, rollbacks - :a_rollbacks AS rollbacks FROM own;
SELECT * FROM own \gset a_
COMMIT PREPARED 'regress_pgvalet';
SELECT commits - :a_commits AS commits, rollbacks - :a_rollbacks AS rollbacks FROM own;

-- Blocks, write-ahead log and temporary files: they grow when used.
SELECT block_hit_count AS hit, temp_bytes AS temp, wal_bytes AS wal, sent_bytes AS sent
  FROM pgvalet.backends WHERE pid = pg_backend_pid() \gset a_
INSERT INTO numbers SELECT generate_series(1, 10000);
SET work_mem = '64kB';
SELECT count(*) FROM (SELECT n FROM numbers ORDER BY n OFFSET 1) AS s;
SELECT length(repeat('x', 10000)) AS length, repeat('x', 10000) IS NOT NULL AS filled;
RESET work_mem;
SELECT block_hit_count - :a_hit >= 10000 AS hit,
       temp_bytes - :a_temp >= 100000 AS temp,
       (temp_bytes - :a_temp) % current_setting('block_size')::bigint AS temp_part_of_block,
       wal_bytes - :a_wal >= 10000 * 50 AS wal,
       sent_bytes - :a_sent BETWEEN 1 AND 9999 AS sent
  FROM pgvalet.backends WHERE pid = pg_backend_pid();

-- The session that looks is active, and time only grows.
SELECT state, state_since <= clock_timestamp() AS began, connected_at <= state_since AS connected,
       login_us > 0 AS login, active_us > 0 AS active, idle_us > 0 AS idle
  FROM pgvalet.backends WHERE pid = pg_backend_pid();

DROP VIEW own;
DROP TABLE numbers, copied;
DROP PROCEDURE commit_twice;
DROP EXTENSION pgvalet;
