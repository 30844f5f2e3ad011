--
-- Tables of rules and budgets: what may stand in them, and who may look.  What
-- rules do: test_policy_rules.py, budgets: test_budget.py.
--
CREATE EXTENSION pgvalet;
\set VERBOSITY default
\pset null '(null)'

-- Rows of another database than pgvalet.database are not in force, and say so.
INSERT INTO pgvalet.idle_policy (position, name, state, end_after)
VALUES (10, 'idle', 'idle', '10 minutes');
UPDATE pgvalet.idle_policy SET end_after = '20 minutes';
INSERT INTO pgvalet.connection_budget (name, max_connections) VALUES ('all', 10);
DELETE FROM pgvalet.connection_budget;
TRUNCATE pgvalet.idle_policy;
SET client_min_messages = error;

-- Only position, name and state are needed.
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (10, 'nothing', 'idle');
SELECT * FROM pgvalet.idle_policy \gx
INSERT INTO pgvalet.connection_budget (name, max_connections) VALUES ('all', 10);
SELECT * FROM pgvalet.connection_budget \gx

-- Positions can change places in one statement.
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (11, 'more', 'idle');
UPDATE pgvalet.idle_policy SET position = 21 - position;
SELECT position, name FROM pgvalet.idle_policy ORDER BY position;
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (11, 'third', 'idle');
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (12, 'more', 'idle');

-- What makes no sense has a constraint that says so.
CREATE FUNCTION pg_temp.try(columns text, vals text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    failed text;
BEGIN
    EXECUTE format('INSERT INTO pgvalet.idle_policy (position, name, state, %s) VALUES (99, ''rule'', ''idle'', %s)',
                   columns, vals);
    DELETE FROM pgvalet.idle_policy WHERE position = 99;
    RETURN 'accepted';
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS failed = CONSTRAINT_NAME;
    RETURN failed;
END
$$;
SELECT columns, vals, pg_temp.try(columns, vals)
  FROM (VALUES ('role_name', ''''''),
               ('role_name', 'repeat(''x'', 64)'),
               ('role_name', 'repeat(''x'', 63)'),
               ('includes_members', 'true'),
               ('database_name', 'repeat(''x'', 64)'),
               ('application_pattern', 'repeat(''x'', 128)'),
               ('application_pattern', ''''''),
               ('client_network, client_is_local', '''10.0.0.0/8'', false'),
               ('client_network', '''fd00::/8'''),
               ('connection_kind', '''pooled'''),
               ('min_used_share', '1.5'),
               ('min_used_share', '-0.1'),
               ('min_used_share', '0.8'),
               ('cancel_after', '''1 s'''),
               ('end_after', '''1 ms'''),
               ('end_after', '''-1 s'''),
               ('end_after', '''30 years'''),
               ('warn_after, end_after', '''2 s'', ''1 s'''),
               ('log_after, end_after', '''2 s'', ''1 s'''),
               ('log_after, warn_after, end_after', '''1 s'', ''1 s'', ''1 s'''),
               ('spares_roles', '''{a,b,c,d,e,f,g,h}'''),
               ('spares_roles', '''{a,b,c,d,e,f,g,h,i}'''),
               ('spares_roles', '''{a,NULL}'''),
               ('spares_roles', '''{{a,b},{c,d}}'''),
               ('spares_roles', 'ARRAY[''a'', repeat(''x'', 64)]'))
    AS t (columns, vals);
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (99, '', 'idle');
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (99, E'two\nlines', 'idle');
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (99, 'pgvalet.idle_session_timeout', 'idle');
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (99, 'rule', 'asleep');
INSERT INTO pgvalet.idle_policy (position, name, state, cancel_after) VALUES (99, 'rule', 'active', '1 s');

CREATE FUNCTION pg_temp.try_budget(columns text, vals text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    failed text;
BEGIN
    EXECUTE format('INSERT INTO pgvalet.connection_budget (name, %s) VALUES (''budget'', %s)',
                   columns, vals);
    DELETE FROM pgvalet.connection_budget WHERE name = 'budget';
    RETURN 'accepted';
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS failed = CONSTRAINT_NAME;
    RETURN failed;
END
$$;
SELECT columns, vals, pg_temp.try_budget(columns, vals)
  FROM (VALUES ('max_connections', '-1'),
               ('max_connections', '0'),
               ('max_connections, includes_members', '1, true'),
               ('max_connections, reserved_connections', '5, 2'),
               ('max_connections, reserved_for', '5, ''{a}'''),
               ('max_connections, reserved_connections, reserved_for', '5, 6, ''{a}'''),
               ('max_connections, reserved_connections, reserved_for', '5, 2, ''{{a,b},{c,d}}'''),
               ('max_connections, reserved_connections, reserved_for', '5, 2, ''{a,b}'''))
    AS t (columns, vals);

-- pg_dump takes the rows of both.
SELECT c.relname, e.extcondition
  FROM (SELECT unnest(extconfig) AS oid, unnest(extcondition) AS extcondition
          FROM pg_extension WHERE extname = 'pgvalet') AS e
  JOIN pg_class AS c USING (oid)
 ORDER BY 1;

-- The trigger fires whatever a session sets.
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger
 WHERE tgname IN ('idle_policy_changed', 'connection_budget_changed') ORDER BY tgname;
SELECT pgvalet.policy_changed();

-- Everybody may see rules, and change none; who sees all statistics sees their effect.
CREATE ROLE regress_pgvalet_plain;
CREATE ROLE regress_pgvalet_stats;
GRANT pg_read_all_stats TO regress_pgvalet_stats;
SET ROLE regress_pgvalet_plain;
SELECT name FROM pgvalet.idle_policy;
SELECT name FROM pgvalet.connection_budget;
DELETE FROM pgvalet.idle_policy;
DELETE FROM pgvalet.connection_budget;
SELECT * FROM pgvalet.policy_status;
SELECT * FROM pgvalet.policy_status();
SELECT * FROM pgvalet.idle_policy_counts;
SELECT * FROM pgvalet.rule_counts();
SELECT * FROM pgvalet.budget;
SELECT * FROM pgvalet.budget_uses();
SELECT * FROM pgvalet.policy_for(pg_backend_pid());
CREATE TEMP TABLE mine (n integer);
CREATE TRIGGER mine BEFORE INSERT ON mine EXECUTE FUNCTION pgvalet.policy_changed();
DROP TABLE mine;
RESET ROLE;
SET ROLE regress_pgvalet_stats;
SELECT count(*) FROM pgvalet.idle_policy;
SELECT count(*) FROM pgvalet.connection_budget;
SELECT database_name, rule_count, budget_count FROM pgvalet.policy_status;
SELECT count(*) FROM pgvalet.idle_policy_counts;
SELECT count(*) FROM pgvalet.budget;
SELECT state, is_present, rule_name, remark FROM pgvalet.policy_for(pg_backend_pid());
INSERT INTO pgvalet.idle_policy (position, name, state) VALUES (1, 'mine', 'idle');
UPDATE pgvalet.connection_budget SET max_connections = 100;
RESET ROLE;

-- No such session, no rows.
SELECT * FROM pgvalet.policy_for(0);

DROP ROLE regress_pgvalet_plain, regress_pgvalet_stats;
RESET client_min_messages;
DROP EXTENSION pgvalet;
