-- Agents tell who has their connections.

CREATE OR REPLACE FUNCTION pgvalet.report_clients(
    pids integer[],
    client_addrs text[],
    client_ports integer[],
    application_names text[],
    leased_since timestamptz[])
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'pgvalet_report_clients';

COMMENT ON FUNCTION pgvalet.report_clients(integer[], text[], integer[], text[], timestamptz[]) IS
    'Called by agents now and then: which clients have which of its connections (pids of backends) at this moment; connections that are not named have no client. Only connections with the caller''s own pgvalet.agent are changed. Returns how many of those named there are.';

REVOKE ALL ON FUNCTION pgvalet.report_clients(integer[], text[], integer[], text[], timestamptz[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.report_clients(integer[], text[], integer[], text[], timestamptz[]) TO pg_monitor;
