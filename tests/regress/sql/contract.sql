--
-- What the agent reads: names, order and types of the views' columns.  Columns
-- may be added; none may be renamed, removed or given another type or unit.
--
CREATE EXTENSION pgvalet;

SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
  FROM pg_class AS c
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = 'pgvalet'::regnamespace
   AND c.relkind = 'v'
 ORDER BY c.relname, a.attnum;

DROP EXTENSION pgvalet;
