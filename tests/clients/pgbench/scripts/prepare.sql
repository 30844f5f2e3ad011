-- PREPARE by SQL: one name, another statement in every client.
\set n random(1, 1000000)
PREPARE mine (int) AS SELECT $1 + :client_id AS sum;
EXECUTE mine (:n) \gset
BEGIN;
EXECUTE mine (:n + 1) \gset second_
ROLLBACK;
DEALLOCATE mine;
\if :sum != :n + :client_id or :second_sum != :sum + 1
SELECT expect('EXECUTE', 'another sum');
\endif
PREPARE mine AS SELECT 'prepared anew by ' || :client_id AS note;
EXECUTE mine \gset
SELECT expect(':note', 'prepared anew by ' || :client_id);
SELECT expect(statement, 'PREPARE mine AS SELECT ''prepared anew by '' || ' || :client_id || ' AS note;')
  FROM pg_prepared_statements WHERE name = 'mine';
DEALLOCATE ALL;
