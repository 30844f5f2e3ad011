-- Settings through transactions: kept, local, undone, reset.
\set n random(1, 1000000)
SET TIME ZONE 'Asia/Tokyo';
SELECT set_config('app.note', (:n)::text, false);
SELECT set_config('search_path', 'client_' || :client_id || ', public', false);
SELECT expect(current_setting('app.note'), (:n)::text);
BEGIN;
SET LOCAL app.note = 'local';
SET TIME ZONE 'UTC';
SELECT expect(current_setting('app.note'), 'local');
ROLLBACK;
SELECT expect(current_setting('app.note'), (:n)::text);
SELECT expect(current_setting('TimeZone'), 'Asia/Tokyo');
SELECT expect(current_setting('search_path'), 'client_' || :client_id || ', public');
DO $$
BEGIN
  PERFORM set_config('statement_timeout', '65s', false);
  PERFORM expect(current_setting('TimeZone'), 'Asia/Tokyo');
END
$$;
SELECT expect(current_setting('statement_timeout'), '65s');
RESET TIME ZONE;
RESET statement_timeout;
RESET search_path;
SELECT expect(current_setting('statement_timeout'), '0');
SELECT expect(current_setting('search_path'), '"$user", public');
