-- What 1.0 had and 1.1 has no more.

DROP FUNCTION pgvalet.backend_slots();
