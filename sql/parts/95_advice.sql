-- Advice: what an experienced administrator would say about these numbers.
-- One view per subject, so that each rule can be read by itself; pgvalet.advice
-- puts them together.  docs/extension/advice.md has a row for each rule.

CREATE OR REPLACE FUNCTION pgvalet.quantity(number bigint, one text, many text)
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT $1 || ' ' || CASE $1 WHEN 1 THEN $2 ELSE $3 END $$;

COMMENT ON FUNCTION pgvalet.quantity(bigint, text, text) IS
    'The number and the word for it: quantity(1, ''session'', ''sessions'') is ''1 session''.';

REVOKE ALL ON FUNCTION pgvalet.quantity(bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.quantity(bigint, text, text) TO pg_read_all_stats;

CREATE OR REPLACE FUNCTION pgvalet.idle_in_transaction_limit()
RETURNS interval
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_idle_in_transaction_limit';

COMMENT ON FUNCTION pgvalet.idle_in_transaction_limit() IS
    'After how long a session is ended that waits inside a transaction, whoever it is: the shorter of the server''s idle_in_transaction_session_timeout and what the first rule in force without other conditions, or else pgvalet.idle_in_transaction_timeout, says. NULL: never.';

REVOKE ALL ON FUNCTION pgvalet.idle_in_transaction_limit() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.idle_in_transaction_limit() TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.advice_on_connections AS

-- Rule connection_limit: ordinary roles are about to be refused.
SELECT CASE WHEN s.share >= 0.95 THEN 'critical' ELSE 'warning' END AS severity,
       'connection_limit' AS rule,
       'server' AS subject,
       pg_catalog.format('%s of the %s connections that ordinary roles may have are taken; %s has most of them (%s)',
                         s.connections, s.room,
                         coalesce('application ' || pg_catalog.quote_literal(a.application_name), 'nobody'),
                         coalesce(a.live_session_count, 0)) AS finding,
       'When none is left, every new client is refused with "sorry, too many clients already".' AS reason,
       'Let this application connect through the agent, whose clients share server connections; max_connections costs memory for each one, used or not.' AS action
  FROM (SELECT connections,
               max_connections - reserved_connections AS room,
               connections / (max_connections - reserved_connections)::double precision AS share
          FROM pgvalet.summary) AS s
  LEFT JOIN LATERAL (SELECT application_name, live_session_count
                       FROM pgvalet.usage_by_application
                      ORDER BY live_session_count DESC LIMIT 1) AS a ON true
 WHERE s.share >= 0.8

UNION ALL
-- Rule pool_missing: many direct sessions that hardly work.
SELECT 'warning', 'pool_missing',
       'application ' || pg_catalog.quote_literal(b.application_name),
       pg_catalog.format('%s direct sessions work %s %% of their time since they connected',
                         b.sessions, pg_catalog.round((100 * b.active_share)::numeric, 1)),
       'Each waits in a process and a connection of its own; the work needs far fewer.',
       pg_catalog.format('Connect through the agent: %s would carry this load at half capacity.',
                         pgvalet.quantity(greatest(pg_catalog.ceil(2 * b.sessions * b.active_share), 1)::bigint,
                                          'server connection', 'server connections'))
  FROM (SELECT application_name,
               count(*) AS sessions,
               sum(active_us) / greatest(sum(active_us + idle_us + idle_in_transaction_us), 1)::double precision AS active_share
          FROM pgvalet.backends
         WHERE connection_kind = 'direct'
         GROUP BY application_name) AS b
 WHERE b.sessions >= 20 AND b.active_share < 0.1

UNION ALL
-- Rule connection_churn: sessions that end before they have done anything worth a login.
SELECT 'warning', 'connection_churn',
       'application ' || pg_catalog.quote_literal(u.application_name),
       pg_catalog.format('%s sessions since %s, with %s transactions each',
                         u.login_count, pg_catalog.date_trunc('second', u.since),
                         pg_catalog.round((u.xact_commit_count + u.xact_rollback_count) / u.login_count::numeric, 1)),
       'Starting a backend and logging in costs several milliseconds of CPU, more than most transactions.',
       'Keep connections open in the application, or connect through the agent: it keeps server connections for clients that come and go.'
  FROM pgvalet.recent_usage AS u
 WHERE u.login_count >= 1000
   AND u.xact_commit_count + u.xact_rollback_count < 5 * u.login_count

UNION ALL
-- Rule connection_budget: a budget is about to refuse sessions, or has done so in
-- the last hour.  Those that are kept for some are not free for others.
SELECT CASE WHEN b.is_dry_run THEN 'info'
            WHEN b.room > 0 AND b.free_connections = 0 THEN 'critical'
            ELSE 'warning' END,
       'connection_budget',
       'budget ' || pg_catalog.quote_literal(b.budget_name),
       pg_catalog.format('%s of %s taken (%s by agents, %s directly)', b.used,
                         pgvalet.quantity(b.max_connections, 'connection is', 'connections are'),
                         b.agent_connections, b.direct_connections)
       || CASE WHEN b.reserved_connections > 0
               THEN pg_catalog.format(', %s for the roles in reserved_for',
                                      pgvalet.quantity(b.reserved_connections, 'is kept', 'are kept'))
               ELSE '' END
       || CASE WHEN b.refused = 0 THEN ''
               WHEN b.is_dry_run THEN '; ' || pgvalet.quantity(b.refused, 'login', 'logins') || ' would have been refused'
               ELSE '; ' || pgvalet.quantity(b.refused, 'login was refused', 'logins were refused') END
       || coalesce(', the last at ' || pg_catalog.date_trunc('second', e.last_at), ''),
       CASE WHEN b.is_dry_run
            THEN 'The budget is a dry run: nobody is refused, as would be who comes when none is free.'
            ELSE 'Whoever comes when none is free is refused with SQLSTATE 53300.' END,
       'Raise the budget in pgvalet.connection_budget, or let those who share it use a pool of fewer server connections.'
  FROM (SELECT *,
               agent_connections + direct_connections AS used,
               max_connections - reserved_connections AS room,
               CASE WHEN is_dry_run THEN dry_refused_count ELSE refused_count END AS refused
          FROM pgvalet.budget) AS b
  LEFT JOIN (SELECT rule_name, is_dry_run, pg_catalog.max(at) AS last_at
               FROM pgvalet.events
              WHERE kind = 'budget_refused'
                AND at > pg_catalog.clock_timestamp() - interval '1 hour'
              GROUP BY rule_name, is_dry_run) AS e
         ON e.rule_name = b.budget_name AND e.is_dry_run = b.is_dry_run AND b.refused > 0
 WHERE (b.room > 0 AND b.used >= 0.9 * b.room)
    OR e.last_at IS NOT NULL

UNION ALL
-- Rule login_failures: somebody is refused again and again.
SELECT CASE f.reason WHEN 'password' THEN 'critical' ELSE 'warning' END,
       'login_failures',
       coalesce('client ' || pg_catalog.host(f.client_addr), 'clients on Unix sockets'),
       pg_catalog.format('%s logins failed since %s (%s), the last as role %s of database %s at %s',
                         f.failure_count, pg_catalog.date_trunc('second', f.first_at), f.reason,
                         pg_catalog.quote_literal(f.last_role_name),
                         pg_catalog.quote_literal(f.last_database_name),
                         pg_catalog.date_trunc('second', f.last_at)),
       'A program with an old password, or somebody who guesses one; each try costs a process.',
       'Mend the program''s credentials, or keep the address out by pg_hba.conf or a firewall.'
  FROM pgvalet.login_failures AS f
 WHERE f.failure_count >= 100
   AND f.last_at > pg_catalog.clock_timestamp() - interval '1 hour'
   AND f.reason <> 'client_left';

COMMENT ON VIEW pgvalet.advice_on_connections IS
    'The part of pgvalet.advice on the number of connections and how they are used.';

CREATE OR REPLACE VIEW pgvalet.advice_on_transactions AS

-- Rule idle_in_transaction: transactions mostly wait for their client.
SELECT 'warning' AS severity,
       'idle_in_transaction' AS rule,
       'application ' || pg_catalog.quote_literal(u.application_name) AS subject,
       pg_catalog.format('transactions waited %s s for their client since %s, and worked %s s',
                         u.idle_in_transaction_us / 1000000, pg_catalog.date_trunc('second', u.since),
                         u.active_us / 1000000) AS finding,
       'Locks and old row versions are held meanwhile, and in a pool the server connection.' AS reason,
       'Do what needs no database before BEGIN or after COMMIT; set a limit by pgvalet.idle_in_transaction_timeout or a rule of pgvalet.idle_policy.' AS action
  FROM pgvalet.recent_usage AS u
 WHERE u.idle_in_transaction_us >= 60000000
   AND u.idle_in_transaction_us > 2 * u.active_us

UNION ALL
-- Rule leak: see pgvalet.leaks.
SELECT CASE WHEN l.score >= 0.8 OR l.blocked_pids IS NOT NULL THEN 'critical' ELSE 'warning' END,
       'leak',
       coalesce('backend ' || l.pid, 'application ' || pg_catalog.quote_literal(l.application_name)),
       l.reason,
       'A forgotten session takes a connection until its client ends; inside a transaction it also keeps locks and stops VACUUM.',
       'Mend the code that does not give it back. To end it now: ' || l.end_statement
  FROM pgvalet.leaks AS l

UNION ALL
-- Rule rollbacks: much work for nothing.
SELECT 'info', 'rollbacks',
       'application ' || pg_catalog.quote_literal(u.application_name),
       pg_catalog.format('%s of %s transactions were rolled back since %s',
                         u.xact_rollback_count, u.xact_commit_count + u.xact_rollback_count,
                         pg_catalog.date_trunc('second', u.since)),
       'Work that is rolled back was done and is done again.',
       'Look for the errors in the server''s log; if they are serialization failures or deadlocks, shorten the transactions.'
  FROM pgvalet.recent_usage AS u
 WHERE u.xact_rollback_count >= 1000
   AND u.xact_rollback_count > 0.2 * (u.xact_commit_count + u.xact_rollback_count)

UNION ALL
-- Rule no_limit: nothing would end a session that waits inside a transaction,
-- whoever it is.
SELECT 'info', 'no_limit', 'server',
       CASE WHEN r.is_any THEN 'rules end some sessions that wait inside a transaction, but no limit ends them all'
            ELSE 'no limit ends a session that waits inside a transaction' END,
       'One forgotten session holds its locks and stops VACUUM in all tables for as long as its client lives.',
       'Set pgvalet.idle_in_transaction_timeout, which no session can change, or let the last rule of pgvalet.idle_policy be one without other conditions.'
  FROM (SELECT count(*) > 0 AS is_any FROM pgvalet.rule_counts() AS c
         WHERE c.state = 'idle in transaction' AND c.end_after IS NOT NULL AND NOT c.is_dry_run) AS r
 WHERE pgvalet.idle_in_transaction_limit() IS NULL

UNION ALL
-- Rule policy_not_in_force: rules that somebody wrote do nothing.
SELECT 'critical', 'policy_not_in_force', 'server',
       pg_catalog.format('pgvalet.database is %L: %s', p.database_name,
                         pg_catalog.concat_ws('; ', p.error, p.left_out)),
       'Sessions are not ended, and logins not refused, as the tables say.',
       'Mend what it says; pgvalet.policy_status shows the state.'
  FROM pgvalet.policy_status AS p
 WHERE p.error IS NOT NULL OR p.left_out IS NOT NULL

UNION ALL
-- Rule policy_names: rules that name nobody, or spare nobody.
SELECT 'warning', 'policy_names', 'server',
       p.remarks,
       'A condition on such a name matches no session, and an exemption spares none: its sessions are ended or refused like others.',
       'Mend the name in pgvalet.idle_policy or pgvalet.connection_budget, or create the role or database.'
  FROM pgvalet.policy_status AS p
 WHERE p.remarks IS NOT NULL

UNION ALL
-- Rule repetition: one statement many times in one transaction ("N+1").
SELECT 'warning', 'repetition',
       'application ' || pg_catalog.quote_literal(r.application_name),
       pg_catalog.format('query %s of database %s ran %s times in %s since %s, up to %s times in one, the last at %s',
                         r.query_id, r.database_name, r.execution_count,
                         pgvalet.quantity(r.transaction_count, 'transaction', 'transactions'),
                         pg_catalog.date_trunc('second', r.first_seen_at), r.highest_count,
                         pg_catalog.date_trunc('second', r.last_seen_at)),
       'Each execution is a round trip; one statement with = ANY (...) or a join asks for all rows at once.',
       'Find the loop that sends it; object-relational mappers call the cure eager loading or prefetching.'
  FROM pgvalet.repeated_statements AS r
 WHERE r.execution_count >= 1000 AND r.highest_count >= 20
   AND r.last_seen_at > pg_catalog.clock_timestamp() - interval '1 hour'

UNION ALL
-- Rule old_snapshot: a waiting session keeps VACUUM from removing rows.
SELECT 'warning', 'old_snapshot',
       'backend ' || b.pid,
       pg_catalog.format('waits since %s and keeps row versions of the last %s transactions',
                         pg_catalog.date_trunc('second', b.state_since), b.xmin_age),
       'VACUUM removes nothing newer from any table of the database: tables and indexes grow.',
       pg_catalog.format('Let the application end its transaction; to end the session now: SELECT pg_terminate_backend(%s)', b.pid)
  FROM pgvalet.backends AS b
 WHERE b.state <> 'active' AND b.xmin_age >= 100000;

COMMENT ON VIEW pgvalet.advice_on_transactions IS
    'The part of pgvalet.advice on how transactions begin, wait and end.';

CREATE OR REPLACE VIEW pgvalet.advice_on_resources AS

-- Rule work_mem: sorts and hashes that do not fit.
SELECT 'warning' AS severity,
       'work_mem' AS rule,
       'application ' || pg_catalog.quote_literal(u.application_name) AS subject,
       pg_catalog.format('wrote %s to temporary files since %s',
                         pg_catalog.pg_size_pretty(u.temp_bytes), pg_catalog.date_trunc('second', u.since)) AS finding,
       pg_catalog.format('Sorts and hash tables larger than work_mem (%s) go to disk.',
                         pg_catalog.current_setting('work_mem')) AS reason,
       'Raise work_mem for the role of this application (ALTER ROLE ... SET work_mem), or let its queries sort less; log_temp_files names them.' AS action
  FROM pgvalet.recent_usage AS u
 WHERE u.temp_bytes >= 100 * 1024 * 1024

UNION ALL
-- Rule io_budget: more bytes per second than were allowed for.
SELECT CASE WHEN i.budget_share >= 1 THEN 'critical' ELSE 'warning' END, 'io_budget',
       CASE WHEN i.dimension = 'server' THEN 'server'
            ELSE i.dimension || ' ' || pg_catalog.quote_literal(i.name) END,
       pg_catalog.format('%s of disk I/O per second over 5 minutes, %s %% of its budget',
                         pg_catalog.pg_size_pretty(i.io_bytes_per_second::bigint),
                         pg_catalog.round((100 * i.budget_share)::numeric)),
       'Disks are shared: what one takes beyond its share, the others wait for.',
       'pgvalet.io_rates says of what kind it is: temp_bytes asks for work_mem, read_bytes for an index or memory, wal_bytes for larger batches.'
  FROM pgvalet.io_rates AS i
 WHERE i.window_minutes = 5 AND i.budget_share >= 0.8

UNION ALL
-- Rule backend_memory: a waiting backend that has grown large.
SELECT 'warning', 'backend_memory',
       'backend ' || b.pid,
       pg_catalog.format('holds %s while it waits (application %s)',
                         pg_catalog.pg_size_pretty(b.memory_bytes), pg_catalog.quote_literal(b.application_name)),
       'Caches of a backend only grow; with many such backends the server runs out of memory.',
       CASE b.connection_kind
            WHEN 'agent' THEN 'Set server_lifetime of the agent lower: it replaces its server connections.'
            ELSE 'Let the pool of the application replace its connections from time to time.' END
  FROM pgvalet.backends AS b
 WHERE b.state <> 'active' AND b.memory_bytes >= 256 * 1024 * 1024

UNION ALL
-- Rule names_lost: rows called (other).
SELECT 'info', 'names_lost', n.what,
       pg_catalog.format('%s counted together since %s, for want of room for more names',
                         pgvalet.quantity(n.session_count, 'session is', 'sessions are'),
                         pg_catalog.date_trunc('second', (SELECT coalesce(m.reset_at, s.started_at)
                                                            FROM pgvalet.memory AS m, pgvalet.summary AS s
                                                           WHERE m.part = 'usage'))),
       'What they cost cannot be told apart.',
       pg_catalog.format('Raise %s and restart the server.', n.setting)
  FROM (SELECT 'applications' AS what, 'pgvalet.max_applications' AS setting, session_count
          FROM pgvalet.usage_by_application WHERE application_name = '(other)'
        UNION ALL
        SELECT 'roles', 'pgvalet.max_roles', session_count
          FROM pgvalet.usage_by_role WHERE role_name = '(other)'
        UNION ALL
        SELECT 'databases', 'pgvalet.max_databases', session_count
          FROM pgvalet.usage_by_database WHERE database_name = '(other)') AS n

UNION ALL
-- Rule tracking_off: a running command would not be seen.
SELECT 'info', 'tracking_off', 'server',
       'track_activities is off',
       'A command is seen as running only once its answer begins.',
       'Set track_activities = on.'
 WHERE pg_catalog.current_setting('track_activities') = 'off'

UNION ALL
-- Rule query_ids_off: statements cannot be told apart.
SELECT 'info', 'query_ids_off', 'server',
       'compute_query_id is off',
       'Statements that are repeated are not counted, and backends show no query id.',
       'Set compute_query_id = auto.'
 WHERE pg_catalog.current_setting('compute_query_id') = 'off'
   AND pg_catalog.current_setting('pgvalet.track_queries') = 'on';

COMMENT ON VIEW pgvalet.advice_on_resources IS
    'The part of pgvalet.advice on disk, memory and what could be measured better.';

CREATE OR REPLACE VIEW pgvalet.advice AS
SELECT a.severity, a.rule, a.subject, a.finding, a.reason, a.action
  FROM (SELECT * FROM pgvalet.advice_on_connections
        UNION ALL
        SELECT * FROM pgvalet.advice_on_transactions
        UNION ALL
        SELECT * FROM pgvalet.advice_on_resources) AS a
 ORDER BY pg_catalog.array_position(ARRAY['critical', 'warning', 'info'], a.severity), a.rule, a.subject;

COMMENT ON VIEW pgvalet.advice IS
    'Findings, the most severe first: what was seen, why it matters and what to do. Each comes from a rule; thresholds stand in docs/extension/advice.md.';
COMMENT ON COLUMN pgvalet.advice.severity IS
    '''critical'': clients are refused or blocked, or about to be; ''warning'': resources are wasted; ''info'': could be better.';
COMMENT ON COLUMN pgvalet.advice.rule IS
    'Name of the rule, as in docs/extension/advice.md.';
COMMENT ON COLUMN pgvalet.advice.subject IS
    'What it is about: the server, an application, a backend.';
COMMENT ON COLUMN pgvalet.advice.finding IS
    'What was seen, with its numbers.';
COMMENT ON COLUMN pgvalet.advice.reason IS
    'Why it matters.';
COMMENT ON COLUMN pgvalet.advice.action IS
    'What to do.';

DO $$
DECLARE
    part text;
    name text;
BEGIN
    FOREACH part IN ARRAY ARRAY['connections', 'transactions', 'resources'] LOOP
        EXECUTE format('GRANT SELECT ON pgvalet.advice_on_%s TO pg_read_all_stats', part);
        FOREACH name IN ARRAY ARRAY['severity', 'rule', 'subject', 'finding', 'reason', 'action'] LOOP
            EXECUTE format('COMMENT ON COLUMN pgvalet.advice_on_%s.%s IS %L', part, name,
                           'As in pgvalet.advice.');
        END LOOP;
    END LOOP;
END
$$;
GRANT SELECT ON pgvalet.advice TO pg_read_all_stats;
