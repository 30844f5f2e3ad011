--
-- An update from 1.0 leaves what a new installation has, and what others built
-- on its views; the library of today serves the functions of 1.0 until then.
--
CREATE EXTENSION pgvalet VERSION '1.0';
CREATE VIEW built_on AS SELECT pid, database_name, idle_us FROM pgvalet.backends;
SELECT count(*) > 0 AS works, bool_and(moved_statements IS NOT NULL) AS whole FROM pgvalet.backends;

ALTER EXTENSION pgvalet UPDATE;
SELECT count(*) > 0 AS works FROM built_on;

CREATE FUNCTION pg_temp.objects_of_extension() RETURNS SETOF text LANGUAGE sql AS $$
SELECT pg_describe_object(d.classid, d.objid, 0)
       || coalesce(' ' || (SELECT p.proacl::text || pg_get_functiondef(p.oid) FROM pg_proc AS p WHERE p.oid = d.objid AND d.classid = 'pg_proc'::regclass), '')
       || coalesce(' ' || (SELECT coalesce(c.relacl::text, '') || coalesce(pg_get_viewdef(c.oid), '') FROM pg_class AS c WHERE c.oid = d.objid AND d.classid = 'pg_class'::regclass AND c.relkind = 'v'), '')
       || coalesce(' ' || (SELECT string_agg(x.objsubid || x.description, ' ' ORDER BY x.objsubid) FROM pg_description AS x WHERE x.objoid = d.objid AND x.classoid = d.classid), '')
  FROM pg_depend AS d
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pgvalet')
$$;
CREATE TEMP TABLE updated AS SELECT * FROM pg_temp.objects_of_extension() AS object;
DROP VIEW built_on;
DROP EXTENSION pgvalet;
CREATE EXTENSION pgvalet;
CREATE TEMP TABLE fresh AS SELECT * FROM pg_temp.objects_of_extension() AS object;

SELECT left(object, 200) AS only_updated FROM (TABLE updated EXCEPT TABLE fresh) AS u;
SELECT left(object, 200) AS only_fresh FROM (TABLE fresh EXCEPT TABLE updated) AS f;
SELECT count(*) > 10 AS compared FROM fresh;

DROP EXTENSION pgvalet;
