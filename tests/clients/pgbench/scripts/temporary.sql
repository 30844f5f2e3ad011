-- A temporary table that goes with its transaction, and one that is dropped later.
\set n random(1, 1000000)
BEGIN;
CREATE TEMP TABLE brief (n int) ON COMMIT DROP;
INSERT INTO brief VALUES (:n);
SELECT expect(n::text, (:n)::text) FROM brief;
COMMIT;
SELECT expect(to_regclass('pg_temp.brief')::text, NULL);
CREATE TEMP TABLE kept (n int);
INSERT INTO kept VALUES (:n::int), (:client_id::int);
BEGIN;
UPDATE kept SET n = n + 1;
ROLLBACK;
UPDATE kept SET n = n + 2;
SELECT expect(sum(n)::text, (:n::int + :client_id::int + 4)::text) FROM kept;
DROP TABLE kept;
SELECT expect(to_regclass('pg_temp.kept')::text, NULL);
