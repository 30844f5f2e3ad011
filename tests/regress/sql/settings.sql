--
-- Settings: unit, bounds, context; a session can change none of them.
--
SELECT name, setting, unit, context, vartype, min_val, max_val
  FROM pg_settings
 WHERE name LIKE 'pgvalet.%'
 ORDER BY name;

SELECT name FROM pg_settings
 WHERE name LIKE 'pgvalet.%'
   AND (short_desc = '' OR extra_desc IS NULL);

SET pgvalet.idle_session_timeout = 0;
SET LOCAL pgvalet.idle_in_transaction_timeout = 0;
SELECT set_config('pgvalet.idle_session_timeout', '0', false);
SET pgvalet.idle_session_includes_agents = off;
SET pgvalet.agent = 'me';
SET pgvalet.max_applications = 1;

-- A role cannot get other limits either.
CREATE ROLE regress_pgvalet_settings;
ALTER ROLE regress_pgvalet_settings SET pgvalet.idle_session_timeout = 0;
ALTER ROLE regress_pgvalet_settings SET pgvalet.agent = 'me';
DROP ROLE regress_pgvalet_settings;

-- The prefix is reserved: a mistyped name is an error, not a placeholder.
SET pgvalet.idle_sesion_timeout = 0;
