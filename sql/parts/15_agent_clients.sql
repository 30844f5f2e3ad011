-- Agents tell who has their connections.

CREATE OR REPLACE FUNCTION pgvalet.report_clients(
    agent_name text,
    pids integer[],
    client_addrs text[],
    client_ports integer[],
    application_names text[],
    leased_us bigint[])
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'pgvalet_report_clients';

COMMENT ON FUNCTION pgvalet.report_clients(text, integer[], text[], integer[], text[], bigint[]) IS
    'Called by agents now and then: which clients have which of its connections (pids of backends) at this moment, and since how many microseconds; connections that are not named have no client. Only connections with this pgvalet.agent are changed. Returns how many of those named there are. Error 22023 for times below 0 or above 10 years and for ports that are none; 42501 on a connection of another agent.';

REVOKE ALL ON FUNCTION pgvalet.report_clients(text, integer[], text[], integer[], text[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgvalet.report_clients(text, integer[], text[], integer[], text[], bigint[]) TO pg_monitor;
