--
-- The extension is one schema, and DROP EXTENSION leaves nothing of it.
--
CREATE EXTENSION pgvalet;

SELECT extension_version,
       extension_version = (SELECT default_version
                              FROM pg_available_extensions
                             WHERE name = 'pgvalet') AS is_default
  FROM pgvalet.summary;

-- Every view, column, function and the schema are explained.
SELECT c.relname, a.attname
  FROM pg_class AS c
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum >= 0
 WHERE c.relnamespace = 'pgvalet'::regnamespace AND c.relkind <> 'i'
   AND col_description(c.oid, a.attnum) IS NULL;

SELECT c.relname
  FROM pg_class AS c
 WHERE c.relnamespace = 'pgvalet'::regnamespace AND c.relkind <> 'i'
   AND obj_description(c.oid, 'pg_class') IS NULL;

SELECT p.oid::regprocedure
  FROM pg_proc AS p
 WHERE p.pronamespace = 'pgvalet'::regnamespace
   AND obj_description(p.oid, 'pg_proc') IS NULL;

SELECT obj_description('pgvalet'::regnamespace, 'pg_namespace') IS NOT NULL AS schema_explained;

-- The collector runs, or does so in a moment.
DO $$
DECLARE
    deadline timestamptz := clock_timestamp() + interval '30 seconds';
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'pgvalet collector')
          AND clock_timestamp() < deadline LOOP
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
    END LOOP;
END
$$;
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pgvalet collector';

DROP EXTENSION pgvalet;
SELECT count(*) FROM pg_namespace WHERE nspname = 'pgvalet';
