-- A lock of the session through several transactions: nobody else writes in between.
\set key random(1, 4)
SELECT pg_advisory_lock(:key);
UPDATE t_lock SET holder = :client_id WHERE key = :key;
SELECT expect(holder::text, (:client_id)::text) FROM t_lock WHERE key = :key;
BEGIN;
UPDATE t_lock SET turns = turns + 1 WHERE key = :key;
SELECT expect(holder::text, (:client_id)::text) FROM t_lock WHERE key = :key;
COMMIT;
SELECT expect(pg_advisory_unlock(:key)::text, 'true');
SELECT pg_try_advisory_lock(:key) AS got \gset
\if :got
SELECT expect(pg_advisory_unlock(:key)::text, 'true');
\endif
