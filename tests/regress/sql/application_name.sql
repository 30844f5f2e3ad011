--
-- Usage goes to the application_name in force while it arose.
--
CREATE EXTENSION pgvalet;

SET application_name = 'regress one';
SELECT 1 AS used_by_one;
SELECT 2 AS used_by_one;
SET application_name = 'regress two';
SELECT 3 AS used_by_two;
SET application_name = 'regress one';
SELECT 4 AS used_by_one;
SET application_name = 'regress reader';

-- The SET that ends a name belongs to it: 1 and 2 and SET, 4 and SET; 3 and SET.
SELECT application_name, session_count, live_session_count, statement_count, row_count
  FROM pgvalet.usage_by_application
 WHERE application_name LIKE 'regress %'
   AND application_name <> 'regress reader'
 ORDER BY application_name;

-- A name that was rolled back was in force until then.
BEGIN;
SET LOCAL application_name = 'regress local';
SELECT 5 AS used_by_local;
ROLLBACK;
SELECT application_name, session_count, live_session_count, statement_count, row_count
  FROM pgvalet.usage_by_application
 WHERE application_name = 'regress local';
SELECT application_name FROM pgvalet.backends WHERE pid = pg_backend_pid();

DROP EXTENSION pgvalet;
