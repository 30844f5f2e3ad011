-- Idle policy: rules that end, cancel, warn or log what sessions do for too long.

/*
 * Ours: statement triggers of the tables below.  It says so if the rows of this
 * database are not in force, and makes the server read them again at COMMIT.
 */
CREATE OR REPLACE FUNCTION pgvalet.policy_changed()
RETURNS trigger
LANGUAGE C
AS 'MODULE_PATHNAME', 'pgvalet_policy_changed';

COMMENT ON FUNCTION pgvalet.policy_changed() IS
    'Statement trigger of pgvalet.idle_policy and pgvalet.connection_budget: puts their rows in force when the transaction commits.';

REVOKE ALL ON FUNCTION pgvalet.policy_changed() FROM PUBLIC;

CREATE TABLE IF NOT EXISTS pgvalet.idle_policy (
    position integer NOT NULL,
    name text NOT NULL,
    is_enabled boolean NOT NULL DEFAULT true,
    is_dry_run boolean NOT NULL DEFAULT false,
    state text NOT NULL,
    role_name text,
    includes_members boolean NOT NULL DEFAULT false,
    database_name text,
    application_pattern text,
    client_network cidr,
    client_is_local boolean,
    connection_kind text,
    min_used_share double precision,
    log_after interval,
    warn_after interval,
    cancel_after interval,
    end_after interval,
    spares_superusers boolean NOT NULL DEFAULT true,
    spares_advisory_locks boolean NOT NULL DEFAULT false,
    spares_listeners boolean NOT NULL DEFAULT false,
    spares_roles text[] NOT NULL DEFAULT '{}',
    CONSTRAINT idle_policy_pkey PRIMARY KEY (name),
    CONSTRAINT positions_differ UNIQUE (position) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT name_is_printable_ascii_up_to_63
        CHECK (name COLLATE "C" ~ '^[ -~]{1,63}$'),
    CONSTRAINT name_is_not_that_of_a_setting
        CHECK (name NOT LIKE 'pgvalet.%'),
    CONSTRAINT state_is_known
        CHECK (state IN ('idle', 'idle in transaction', 'idle in transaction (aborted)',
                         'active', 'session age')),
    CONSTRAINT role_name_fits
        CHECK (pg_catalog.octet_length(role_name) BETWEEN 1 AND 63),
    CONSTRAINT members_are_those_of_a_role
        CHECK (role_name IS NOT NULL OR NOT includes_members),
    CONSTRAINT database_name_fits
        CHECK (pg_catalog.octet_length(database_name) BETWEEN 1 AND 63),
    CONSTRAINT application_pattern_fits
        CHECK (pg_catalog.octet_length(application_pattern) <= 127),
    CONSTRAINT local_clients_have_no_network
        CHECK (client_network IS NULL OR client_is_local IS NULL),
    CONSTRAINT connection_kind_is_known
        CHECK (connection_kind IN ('agent', 'direct')),
    CONSTRAINT min_used_share_is_a_share
        CHECK (min_used_share BETWEEN 0 AND 1),
    CONSTRAINT only_active_is_cancelled
        CHECK (cancel_after IS NULL OR state = 'active'),
    CONSTRAINT delays_are_10_ms_to_10000_days
        CHECK ((log_after IS NULL OR log_after BETWEEN '10 milliseconds' AND '10000 days')
           AND (warn_after IS NULL OR warn_after BETWEEN '10 milliseconds' AND '10000 days')
           AND (cancel_after IS NULL OR cancel_after BETWEEN '10 milliseconds' AND '10000 days')
           AND (end_after IS NULL OR end_after BETWEEN '10 milliseconds' AND '10000 days')),
    CONSTRAINT nothing_comes_after_the_end
        CHECK (end_after IS NULL
            OR (coalesce(log_after, end_after) <= end_after
            AND coalesce(warn_after, end_after) <= end_after
            AND coalesce(cancel_after, end_after) <= end_after)),
    CONSTRAINT spares_roles_are_up_to_8_names
        CHECK (CASE WHEN spares_roles = '{}' THEN true
                    WHEN pg_catalog.array_ndims(spares_roles) <> 1 THEN false
                    ELSE pg_catalog.cardinality(spares_roles) <= 8
                     AND pg_catalog.array_position(spares_roles, NULL) IS NULL END),
    CONSTRAINT spares_roles_fit
        CHECK (63 >= ALL (ARRAY[pg_catalog.octet_length(spares_roles[1]),
                                pg_catalog.octet_length(spares_roles[2]),
                                pg_catalog.octet_length(spares_roles[3]),
                                pg_catalog.octet_length(spares_roles[4]),
                                pg_catalog.octet_length(spares_roles[5]),
                                pg_catalog.octet_length(spares_roles[6]),
                                pg_catalog.octet_length(spares_roles[7]),
                                pg_catalog.octet_length(spares_roles[8])]))
);

SELECT pg_catalog.pg_extension_config_dump('pgvalet.idle_policy', '');

GRANT SELECT ON pgvalet.idle_policy TO PUBLIC;

CREATE OR REPLACE TRIGGER idle_policy_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgvalet.idle_policy
    FOR EACH STATEMENT EXECUTE FUNCTION pgvalet.policy_changed();
ALTER TABLE pgvalet.idle_policy ENABLE ALWAYS TRIGGER idle_policy_changed;

COMMENT ON TRIGGER idle_policy_changed ON pgvalet.idle_policy IS
    'Puts the rules in force when the transaction commits.';
COMMENT ON TABLE pgvalet.idle_policy IS
    'Rules for what sessions do for too long, for the whole server; those in the database pgvalet.database are in force, up to 64. The rule of a session is the first, by position, whose conditions all hold; NULL asks for nothing. A rule without delays lets its sessions be.';
COMMENT ON COLUMN pgvalet.idle_policy.position IS
    'Order of the rules, smallest first; any integers.';
COMMENT ON COLUMN pgvalet.idle_policy.name IS
    'Name of the rule, in messages, events and counts; 1 to 63 printable ASCII characters.';
COMMENT ON COLUMN pgvalet.idle_policy.is_enabled IS
    'False: as if the row were not there.';
COMMENT ON COLUMN pgvalet.idle_policy.is_dry_run IS
    'True: the rule only counts, and makes events of, what it would have done. pgvalet.idle_policy_dry_run does that to all rules.';
COMMENT ON COLUMN pgvalet.idle_policy.state IS
    'What the session does: ''idle'' waits for a command outside a transaction; ''idle in transaction'' inside one, failed or not; ''idle in transaction (aborted)'' inside a failed one; ''active'' works on a statement; ''session age'' is connected, and ends when it is idle outside a transaction.';
COMMENT ON COLUMN pgvalet.idle_policy.role_name IS
    'Condition: the role that logged in, by name.';
COMMENT ON COLUMN pgvalet.idle_policy.includes_members IS
    'True: role_name means its members too, direct or not.';
COMMENT ON COLUMN pgvalet.idle_policy.database_name IS
    'Condition: the database of the session, by name.';
COMMENT ON COLUMN pgvalet.idle_policy.application_pattern IS
    'Condition: application_name, as by LIKE, byte by byte and case-sensitive; up to 127 bytes.';
COMMENT ON COLUMN pgvalet.idle_policy.client_network IS
    'Condition: address of the client, or of the agent on agent connections. Clients on a Unix-domain socket have none and are in no network: client_is_local.';
COMMENT ON COLUMN pgvalet.idle_policy.client_is_local IS
    'Condition: true for clients on a Unix-domain socket, false for those over TCP.';
COMMENT ON COLUMN pgvalet.idle_policy.connection_kind IS
    'Condition: ''agent'' if a pgvalet agent opened the connection, else ''direct''.';
COMMENT ON COLUMN pgvalet.idle_policy.min_used_share IS
    'Condition: more than this share of the connections that ordinary roles can have is used, from 0 to 1. Sessions are ended until that is no longer so, those first that wait longest.';
COMMENT ON COLUMN pgvalet.idle_policy.log_after IS
    'Delay of a line in the server log, interval from the beginning of the state; NULL: none.';
COMMENT ON COLUMN pgvalet.idle_policy.warn_after IS
    'Delay of such a line and of a WARNING that the client receives with its next answer, interval; NULL: none.';
COMMENT ON COLUMN pgvalet.idle_policy.cancel_after IS
    'Delay after which the statement is cancelled (57014), interval; only for ''active''; NULL: never.';
COMMENT ON COLUMN pgvalet.idle_policy.end_after IS
    'Delay after which the session is ended, interval; NULL: never. SQLSTATE 57P05 (idle, session age), 25P03 (in a transaction) or 57P01 (active).';
COMMENT ON COLUMN pgvalet.idle_policy.spares_superusers IS
    'True: the rule does nothing to sessions of superusers.';
COMMENT ON COLUMN pgvalet.idle_policy.spares_advisory_locks IS
    'True: the rule does nothing to sessions that hold an advisory lock.';
COMMENT ON COLUMN pgvalet.idle_policy.spares_listeners IS
    'True: the rule does nothing to sessions that listen on a channel.';
COMMENT ON COLUMN pgvalet.idle_policy.spares_roles IS
    'The rule does nothing to sessions of these roles and their members; up to 8 names.';

CREATE OR REPLACE FUNCTION pgvalet.policy_status(
    OUT database_name text,
    OUT rule_count integer,
    OUT budget_count integer,
    OUT read_at timestamptz,
    OUT generation bigint,
    OUT error text,
    OUT left_out text,
    OUT remarks text)
RETURNS record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_policy_status';

COMMENT ON FUNCTION pgvalet.policy_status() IS
    'The one row of the view pgvalet.policy_status.';

REVOKE ALL ON FUNCTION pgvalet.policy_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.policy_status() TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.policy_status AS
SELECT s.database_name,
       s.rule_count,
       s.budget_count,
       s.read_at,
       s.generation,
       s.error,
       s.left_out,
       s.remarks
  FROM pgvalet.policy_status() AS s;

GRANT SELECT ON pgvalet.policy_status TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.policy_status IS
    'One row: which rules and budgets are in force, and what is wrong with them.';
COMMENT ON COLUMN pgvalet.policy_status.database_name IS
    'Database whose rows are in force, setting pgvalet.database; NULL: none.';
COMMENT ON COLUMN pgvalet.policy_status.rule_count IS
    'Rules in force, without the two timeouts, number.';
COMMENT ON COLUMN pgvalet.policy_status.budget_count IS
    'Budgets in force, number.';
COMMENT ON COLUMN pgvalet.policy_status.read_at IS
    'When the tables were read last, timestamp; NULL: never since the server started.';
COMMENT ON COLUMN pgvalet.policy_status.generation IS
    'How often rules or budgets have changed since the server started, number.';
COMMENT ON COLUMN pgvalet.policy_status.error IS
    'Why the tables could not be read the last time, a sentence; NULL: they could.';
COMMENT ON COLUMN pgvalet.policy_status.left_out IS
    'Enabled rows that are not in force, and why; NULL: none.';
COMMENT ON COLUMN pgvalet.policy_status.remarks IS
    'Rows in force that name a role or database that does not exist: as a condition it matches nothing. NULL: none.';

CREATE OR REPLACE FUNCTION pgvalet.rule_counts(
    OUT place integer,
    OUT rule_name text,
    OUT state text,
    OUT end_after interval,
    OUT is_dry_run boolean,
    OUT log_count bigint,
    OUT warn_count bigint,
    OUT cancel_count bigint,
    OUT end_count bigint,
    OUT dry_log_count bigint,
    OUT dry_warn_count bigint,
    OUT dry_cancel_count bigint,
    OUT dry_end_count bigint)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_rule_counts';

COMMENT ON FUNCTION pgvalet.rule_counts() IS
    'The rows of the view pgvalet.idle_policy_counts.';

REVOKE ALL ON FUNCTION pgvalet.rule_counts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.rule_counts() TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.idle_policy_counts AS
SELECT c.place,
       c.rule_name,
       c.state,
       c.end_after,
       c.is_dry_run,
       c.log_count,
       c.warn_count,
       c.cancel_count,
       c.end_count,
       c.dry_log_count,
       c.dry_warn_count,
       c.dry_cancel_count,
       c.dry_end_count
  FROM pgvalet.rule_counts() AS c;

GRANT SELECT ON pgvalet.idle_policy_counts TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.idle_policy_counts IS
    'One row per rule in force, the two timeouts last: what it has done since it is in force, or since pgvalet.reset(''policy''). A rule that is renamed or disabled starts anew.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.place IS
    'Order in which rules are looked at, 1, 2, ...';
COMMENT ON COLUMN pgvalet.idle_policy_counts.rule_name IS
    'Name of the rule, or of the setting.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.state IS
    'State it is for, as in pgvalet.idle_policy.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.end_after IS
    'Delay after which it ends sessions, interval; NULL: it does not.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.is_dry_run IS
    'True: by its row or by pgvalet.idle_policy_dry_run the rule only says what it would do.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.log_count IS
    'Times it has logged, number.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.warn_count IS
    'Times it has warned, number.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.cancel_count IS
    'Statements it has cancelled, number.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.end_count IS
    'Sessions it has ended, number.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.dry_log_count IS
    'Times it would have logged but for a dry run, number.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.dry_warn_count IS
    'Times it would have warned but for a dry run, number.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.dry_cancel_count IS
    'Statements it would have cancelled but for a dry run, number.';
COMMENT ON COLUMN pgvalet.idle_policy_counts.dry_end_count IS
    'Sessions it would have ended but for a dry run, number.';

CREATE OR REPLACE FUNCTION pgvalet.policy_for(
    pid integer,
    OUT state text,
    OUT is_present boolean,
    OUT rule_name text,
    OUT matched_by text,
    OUT action text,
    OUT after interval,
    OUT fires_at timestamptz,
    OUT remark text)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_policy_for';

COMMENT ON FUNCTION pgvalet.policy_for(integer) IS
    'Which rule is for the session with this pid, in each state, why (matched_by: its conditions, which all hold), what it does after how long, and when that comes if the session goes on as now (fires_at; only for the state it is in and its age); or, in remark, why nothing will happen. No rows: there is no such session.';

REVOKE ALL ON FUNCTION pgvalet.policy_for(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.policy_for(integer) TO pg_read_all_stats;
