-- Logins: who came in, who was refused, from where and why.

CREATE OR REPLACE FUNCTION pgvalet.login_counts(
    OUT since timestamptz,
    OUT attempt_count bigint,
    OUT login_count bigint,
    OUT failure_count bigint,
    OUT login_us bigint,
    OUT longest_login_us bigint,
    OUT refused_password_count bigint,
    OUT refused_rejected_count bigint,
    OUT refused_no_database_count bigint,
    OUT refused_no_privilege_count bigint,
    OUT refused_too_many_connections_count bigint,
    OUT refused_budget_count bigint,
    OUT refused_not_ready_count bigint,
    OUT refused_timeout_count bigint,
    OUT refused_protocol_count bigint,
    OUT refused_client_left_count bigint,
    OUT refused_other_count bigint)
RETURNS record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_logins';

COMMENT ON FUNCTION pgvalet.login_counts() IS
    'The one row of the view pgvalet.logins.';

REVOKE ALL ON FUNCTION pgvalet.login_counts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.login_counts() TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.logins AS
SELECT l.since,
       l.attempt_count,
       l.login_count,
       l.failure_count,
       l.login_us,
       l.longest_login_us,
       l.refused_password_count,
       l.refused_rejected_count,
       l.refused_no_database_count,
       l.refused_no_privilege_count,
       l.refused_too_many_connections_count,
       l.refused_budget_count,
       l.refused_not_ready_count,
       l.refused_timeout_count,
       l.refused_protocol_count,
       l.refused_client_left_count,
       l.refused_other_count
  FROM pgvalet.login_counts() AS l;

GRANT SELECT ON pgvalet.logins TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.logins IS
    'One row: logins of clients to the whole server, and those that failed, by reason. Replication connections are not counted.';
COMMENT ON COLUMN pgvalet.logins.since IS
    'When counting began: start of the server, its restart after a crash, or pgvalet.reset(''logins''), timestamp.';
COMMENT ON COLUMN pgvalet.logins.attempt_count IS
    'login_count + failure_count.';
COMMENT ON COLUMN pgvalet.logins.login_count IS
    'Logins that led to a session ready for its first command.';
COMMENT ON COLUMN pgvalet.logins.failure_count IS
    'Clients that were not let in, for any reason.';
COMMENT ON COLUMN pgvalet.logins.login_us IS
    'Duration of the logins, from accepted connection to ready for the first command, all together, in microseconds; divided by login_count it is the mean.';
COMMENT ON COLUMN pgvalet.logins.longest_login_us IS
    'Duration of the longest of them, in microseconds.';
COMMENT ON COLUMN pgvalet.logins.refused_password_count IS
    'Failures: wrong password, or with a password method no such role; SQLSTATE 28P01.';
COMMENT ON COLUMN pgvalet.logins.refused_rejected_count IS
    'Failures: pg_hba.conf has no entry or rejects it, another method failed, or the role may not log in; SQLSTATE 28000.';
COMMENT ON COLUMN pgvalet.logins.refused_no_database_count IS
    'Failures: there is no such database; SQLSTATE 3D000.';
COMMENT ON COLUMN pgvalet.logins.refused_no_privilege_count IS
    'Failures: the role may not connect to it; SQLSTATE 42501.';
COMMENT ON COLUMN pgvalet.logins.refused_too_many_connections_count IS
    'Failures: no connection is free, of the server, the role or the database; SQLSTATE 53300.';
COMMENT ON COLUMN pgvalet.logins.refused_budget_count IS
    'Failures: a connection budget of pgvalet is used up.';
COMMENT ON COLUMN pgvalet.logins.refused_not_ready_count IS
    'Failures: the server starts, stops or recovers; SQLSTATE 57P03 or 57P01.';
COMMENT ON COLUMN pgvalet.logins.refused_timeout_count IS
    'Failures: authentication_timeout is over.';
COMMENT ON COLUMN pgvalet.logins.refused_protocol_count IS
    'Failures: TLS failed, or what the client sent was no startup packet.';
COMMENT ON COLUMN pgvalet.logins.refused_client_left_count IS
    'Failures: the client went when it was asked for its password; psql does so before it asks its user.';
COMMENT ON COLUMN pgvalet.logins.refused_other_count IS
    'Failures: any other reason: see last_sqlstate in pgvalet.login_failures.';

CREATE OR REPLACE FUNCTION pgvalet.login_failure_rows(
    OUT client_addr inet,
    OUT reason text,
    OUT failure_count bigint,
    OUT first_at timestamptz,
    OUT last_at timestamptz,
    OUT last_sqlstate text,
    OUT last_role_name text,
    OUT last_database_name text,
    OUT last_application_name text)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'pgvalet_login_sources';

COMMENT ON FUNCTION pgvalet.login_failure_rows() IS
    'The rows of the view pgvalet.login_failures.';

REVOKE ALL ON FUNCTION pgvalet.login_failure_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.login_failure_rows() TO pg_read_all_stats;

CREATE OR REPLACE VIEW pgvalet.login_failures AS
SELECT f.client_addr,
       f.reason,
       f.failure_count,
       f.first_at,
       f.last_at,
       f.last_sqlstate,
       f.last_role_name,
       f.last_database_name,
       f.last_application_name
  FROM pgvalet.login_failure_rows() AS f;

GRANT SELECT ON pgvalet.login_failures TO pg_read_all_stats;

COMMENT ON VIEW pgvalet.login_failures IS
    'One row per client address and reason for which clients were not let in, since logins.since. There is room for pgvalet.max_login_sources; a new one takes the place of an old one.';
COMMENT ON COLUMN pgvalet.login_failures.client_addr IS
    'Address of the client; NULL for a Unix-domain socket.';
COMMENT ON COLUMN pgvalet.login_failures.reason IS
    'password, rejected, no_database, no_privilege, too_many_connections, budget, not_ready, timeout, protocol, client_left or other; the columns of pgvalet.logins explain them.';
COMMENT ON COLUMN pgvalet.login_failures.failure_count IS
    'How often, since first_at.';
COMMENT ON COLUMN pgvalet.login_failures.first_at IS
    'When first, timestamp.';
COMMENT ON COLUMN pgvalet.login_failures.last_at IS
    'When last, timestamp.';
COMMENT ON COLUMN pgvalet.login_failures.last_sqlstate IS
    'SQLSTATE of the last one; NULL if the client was told nothing.';
COMMENT ON COLUMN pgvalet.login_failures.last_role_name IS
    'Role that the client asked for the last time, as it gave it, characters other than printable ASCII shown as ?; there may be no such role. NULL if it did not come so far.';
COMMENT ON COLUMN pgvalet.login_failures.last_database_name IS
    'Database that it asked for, likewise.';
COMMENT ON COLUMN pgvalet.login_failures.last_application_name IS
    'application_name that it gave, likewise.';
