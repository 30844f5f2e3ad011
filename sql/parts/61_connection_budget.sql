-- Connection budgets: how many sessions there may be of a role, database or application.

CREATE TABLE IF NOT EXISTS pgvalet.connection_budget (
    name text NOT NULL,
    is_enabled boolean NOT NULL DEFAULT true,
    is_dry_run boolean NOT NULL DEFAULT false,
    role_name text,
    includes_members boolean NOT NULL DEFAULT false,
    database_name text,
    application_pattern text,
    max_connections integer NOT NULL,
    reserved_for text[] NOT NULL DEFAULT '{}',
    reserved_connections integer NOT NULL DEFAULT 0,
    CONSTRAINT connection_budget_pkey PRIMARY KEY (name),
    CONSTRAINT name_is_printable_ascii_up_to_63
        CHECK (name COLLATE "C" ~ '^[ -~]{1,63}$'),
    CONSTRAINT role_name_fits
        CHECK (pg_catalog.octet_length(role_name) BETWEEN 1 AND 63),
    CONSTRAINT members_are_those_of_a_role
        CHECK (role_name IS NOT NULL OR NOT includes_members),
    CONSTRAINT database_name_fits
        CHECK (pg_catalog.octet_length(database_name) BETWEEN 1 AND 63),
    CONSTRAINT application_pattern_fits
        CHECK (pg_catalog.octet_length(application_pattern) <= 127),
    CONSTRAINT max_connections_is_not_negative
        CHECK (max_connections >= 0),
    CONSTRAINT reserved_connections_are_some_of_them
        CHECK (reserved_connections BETWEEN 0 AND max_connections),
    CONSTRAINT reserved_connections_are_for_somebody
        CHECK ((reserved_connections > 0) = (reserved_for <> '{}')),
    CONSTRAINT reserved_for_are_up_to_8_names
        CHECK (CASE WHEN reserved_for = '{}' THEN true
                    WHEN pg_catalog.array_ndims(reserved_for) <> 1 THEN false
                    ELSE pg_catalog.cardinality(reserved_for) <= 8
                     AND pg_catalog.array_position(reserved_for, NULL) IS NULL END),
    CONSTRAINT reserved_for_fits
        CHECK (63 >= ALL (ARRAY[pg_catalog.octet_length(reserved_for[1]),
                                pg_catalog.octet_length(reserved_for[2]),
                                pg_catalog.octet_length(reserved_for[3]),
                                pg_catalog.octet_length(reserved_for[4]),
                                pg_catalog.octet_length(reserved_for[5]),
                                pg_catalog.octet_length(reserved_for[6]),
                                pg_catalog.octet_length(reserved_for[7]),
                                pg_catalog.octet_length(reserved_for[8])]))
);

SELECT pg_catalog.pg_extension_config_dump('pgvalet.connection_budget', '');

GRANT SELECT ON pgvalet.connection_budget TO PUBLIC;

CREATE OR REPLACE TRIGGER connection_budget_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgvalet.connection_budget
    FOR EACH STATEMENT EXECUTE FUNCTION pgvalet.policy_changed();
ALTER TABLE pgvalet.connection_budget ENABLE ALWAYS TRIGGER connection_budget_changed;

COMMENT ON TRIGGER connection_budget_changed ON pgvalet.connection_budget IS
    'Puts the budgets in force when the transaction commits.';
COMMENT ON TABLE pgvalet.connection_budget IS
    'How many sessions there may be, pooled and direct ones together, for the whole server; the rows in the database pgvalet.database are in force, up to 256. A session counts in every budget whose conditions it meets, and is refused (53300) at login if one of them has no room. Superusers count, and are never refused. NULL asks for nothing.';
COMMENT ON COLUMN pgvalet.connection_budget.name IS
    'Name of the budget, in messages and events; 1 to 63 printable ASCII characters.';
COMMENT ON COLUMN pgvalet.connection_budget.is_enabled IS
    'False: as if the row were not there.';
COMMENT ON COLUMN pgvalet.connection_budget.is_dry_run IS
    'True: nobody is refused; who would have been is counted and an event.';
COMMENT ON COLUMN pgvalet.connection_budget.role_name IS
    'Condition: the role that logged in, by name.';
COMMENT ON COLUMN pgvalet.connection_budget.includes_members IS
    'True: role_name means its members too, direct or not.';
COMMENT ON COLUMN pgvalet.connection_budget.database_name IS
    'Condition: the database of the session, by name.';
COMMENT ON COLUMN pgvalet.connection_budget.application_pattern IS
    'Condition: application_name of now, as by LIKE, byte by byte and case-sensitive; up to 127 bytes.';
COMMENT ON COLUMN pgvalet.connection_budget.max_connections IS
    'Limit, number of sessions; 0 lets nobody in.';
COMMENT ON COLUMN pgvalet.connection_budget.reserved_for IS
    'Roles, with their members, that may have the last reserved_connections; up to 8 names.';
COMMENT ON COLUMN pgvalet.connection_budget.reserved_connections IS
    'How many of max_connections only these roles may have, number of sessions.';

CREATE OR REPLACE FUNCTION pgvalet.budget_uses(
    OUT budget_name text,
    OUT role_name text,
    OUT database_name text,
    OUT application_pattern text,
    OUT max_connections integer,
    OUT reserved_connections integer,
    OUT agent_connections integer,
    OUT direct_connections integer,
    OUT free_connections integer,
    OUT highest_connections integer,
    OUT highest_at timestamptz,
    OUT refused_count bigint,
    OUT dry_refused_count bigint,
    OUT is_dry_run boolean,
    OUT includes_members boolean,
    OUT reserved_for text[])
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_budget_uses';

COMMENT ON FUNCTION pgvalet.budget_uses() IS
    'The rows of the view pgvalet.budget.';

REVOKE ALL ON FUNCTION pgvalet.budget_uses() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.budget_uses() TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.budget AS
SELECT u.budget_name,
       u.role_name,
       u.database_name,
       u.application_pattern,
       u.max_connections,
       u.reserved_connections,
       u.agent_connections,
       u.direct_connections,
       u.free_connections,
       u.highest_connections,
       u.highest_at,
       u.refused_count,
       u.dry_refused_count,
       u.is_dry_run,
       u.includes_members,
       u.reserved_for
  FROM pgvalet.budget_uses() AS u;

GRANT SELECT ON pgvalet.budget TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.budget IS
    'One row per connection budget in force: its limit and its use.';
COMMENT ON COLUMN pgvalet.budget.budget_name IS
    'Name of the budget.';
COMMENT ON COLUMN pgvalet.budget.role_name IS
    'Its condition on the role; NULL: any.';
COMMENT ON COLUMN pgvalet.budget.database_name IS
    'Its condition on the database; NULL: any.';
COMMENT ON COLUMN pgvalet.budget.application_pattern IS
    'Its condition on application_name; NULL: any.';
COMMENT ON COLUMN pgvalet.budget.max_connections IS
    'Its limit, number of sessions.';
COMMENT ON COLUMN pgvalet.budget.reserved_connections IS
    'Of these, those that only the roles in reserved_for may have, number of sessions.';
COMMENT ON COLUMN pgvalet.budget.agent_connections IS
    'Live sessions that count in it and were opened by an agent, number of sessions.';
COMMENT ON COLUMN pgvalet.budget.direct_connections IS
    'Live sessions that count in it and were not, number of sessions.';
COMMENT ON COLUMN pgvalet.budget.free_connections IS
    'How many more there may be of roles without a reserve, number of sessions.';
COMMENT ON COLUMN pgvalet.budget.highest_connections IS
    'Most sessions that counted in it at one time, as of logins since it is in force or pgvalet.reset(''policy''), number of sessions.';
COMMENT ON COLUMN pgvalet.budget.highest_at IS
    'When a login reached that first, timestamp; NULL: none did.';
COMMENT ON COLUMN pgvalet.budget.refused_count IS
    'Logins refused, number.';
COMMENT ON COLUMN pgvalet.budget.dry_refused_count IS
    'Logins that would have been refused but for the dry run, number.';
COMMENT ON COLUMN pgvalet.budget.is_dry_run IS
    'True: nobody is refused.';
COMMENT ON COLUMN pgvalet.budget.includes_members IS
    'True: its condition on the role means the members of the role too.';
COMMENT ON COLUMN pgvalet.budget.reserved_for IS
    'Roles, with their members, that may have the last reserved_connections; empty: there is no reserve.';
