-- What happened: a ring of events with sequence numbers.

CREATE OR REPLACE FUNCTION pgvalet.events_since(
    sequence bigint,
    OUT event_sequence bigint,
    OUT at timestamptz,
    OUT kind text,
    OUT pid integer,
    OUT database_id oid,
    OUT role_id oid,
    OUT application_name text,
    OUT client_addr inet,
    OUT rule_name text,
    OUT is_dry_run boolean,
    OUT message text,
    OUT lost_before bigint)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_events_since';

COMMENT ON FUNCTION pgvalet.events_since(bigint) IS
    'Events with a sequence number above this one, oldest first. lost_before of the first row is how many between were overwritten before they were read; it is 0 in all others. To follow: call it again with the last event_sequence.';

REVOKE ALL ON FUNCTION pgvalet.events_since(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.events_since(bigint) TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.events AS
SELECT e.event_sequence AS sequence,
       e.at,
       e.kind,
       e.pid,
       coalesce(d.datname::text, '(dropped ' || e.database_id || ')') AS database_name,
       coalesce(r.rolname::text, '(dropped ' || e.role_id || ')') AS role_name,
       e.application_name,
       e.client_addr,
       e.rule_name,
       e.is_dry_run,
       e.message
  FROM pgvalet.events_since(0) AS e
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = e.database_id
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = e.role_id;

GRANT SELECT ON pgvalet.events TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.events IS
    'What happened, oldest first, the last pgvalet.max_events events. To follow without loss use pgvalet.events_since().';
COMMENT ON COLUMN pgvalet.events.sequence IS
    'Number of the event: 1, 2, ... since the server''s memory was made.';
COMMENT ON COLUMN pgvalet.events.at IS
    'When it happened, timestamp.';
COMMENT ON COLUMN pgvalet.events.kind IS
    'login_refused, budget_refused, policy_logged, policy_warned, policy_cancelled, policy_ended, policy_changed, limit_near, limit_relieved, leak_found, pin_long, settings_changed, reset or server_started.';
COMMENT ON COLUMN pgvalet.events.pid IS
    'Process id of the backend it is about; NULL if it is about none.';
COMMENT ON COLUMN pgvalet.events.database_name IS
    'Database of that session.';
COMMENT ON COLUMN pgvalet.events.role_name IS
    'Role that logged in.';
COMMENT ON COLUMN pgvalet.events.application_name IS
    'Its application_name.';
COMMENT ON COLUMN pgvalet.events.client_addr IS
    'Address of its client; NULL for a Unix-domain socket.';
COMMENT ON COLUMN pgvalet.events.rule_name IS
    'Rule of the idle policy or connection budget that was the reason; NULL if none was.';
COMMENT ON COLUMN pgvalet.events.is_dry_run IS
    'True: nothing was done, the rule only says what it would have done.';
COMMENT ON COLUMN pgvalet.events.message IS
    'What happened, a sentence.';
