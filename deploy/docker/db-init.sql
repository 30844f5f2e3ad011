-- First start of the database container: the application's role and database, and what the agent may.
-- Run by db-entrypoint.sh as superuser in database postgres.
\set app_user `printenv APP_USER`
\set app_database `printenv APP_DATABASE`
\set app_password `cat "$APP_PASSWORD_FILE"`

-- The agent reads the numbers of the whole server here.
CREATE EXTENSION pgvalet;

-- The agent: no password, it is known by the number of its operating system user (pg_hba.conf).
CREATE ROLE pgvalet LOGIN IN ROLE pg_monitor;

-- What the agent needs to check a login.  pg_authid is for superusers only, so this function looks
-- there for it, and leaves out those whose secret is too much for a pool: superusers, replication.
CREATE SCHEMA pgvalet_login;
CREATE FUNCTION pgvalet_login.secret_of(user_name text)
RETURNS TABLE (role_name name, secret text)
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT a.rolname, a.rolpassword
  FROM pg_catalog.pg_authid AS a
  WHERE a.rolname = user_name AND a.rolcanlogin AND NOT a.rolsuper AND NOT a.rolreplication
    AND (a.rolvaliduntil IS NULL OR a.rolvaliduntil > pg_catalog.now());
END;
REVOKE ALL ON FUNCTION pgvalet_login.secret_of(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA pgvalet_login TO pgvalet;
GRANT EXECUTE ON FUNCTION pgvalet_login.secret_of(text) TO pgvalet;

CREATE ROLE :"app_user" LOGIN PASSWORD :'app_password';
CREATE DATABASE :"app_database" OWNER :"app_user";
\connect -reuse-previous=on :"app_database"
CREATE EXTENSION pgvalet;
