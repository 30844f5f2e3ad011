-- What currval() and lastval() say is what this client has drawn, whoever drew meanwhile.
SELECT nextval('t_drawn') AS first \gset
SELECT expect(currval('t_drawn')::text, (:first)::text);
INSERT INTO t_serial (client) VALUES (:client_id) RETURNING id \gset
SELECT expect(lastval()::text, (:id)::text);
BEGIN;
SELECT expect(currval('t_drawn')::text, (:first)::text);
SELECT expect(currval('t_serial_id_seq')::text, (:id)::text);
COMMIT;
SELECT expect(lastval()::text, (:id)::text);
