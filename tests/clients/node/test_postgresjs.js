// postgres.js: prepares every query under a name of its own and pipelines them.
'use strict';
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
const postgres = require('postgres');
const { assert, CLIENTS, errorOf, runMain, sameLines, sleep } = require('./harness');

const connect = (max) => postgres({ max, onnotice: () => {} });

async function prepared(sql) {
  const values = await Promise.all(
    Array.from({ length: 20 }, (_, n) => sql`SELECT ${n}::int + 1 AS v`),
  );
  values.forEach((rows, n) => assert.equal(rows[0].v, n + 1));
}

async function transactions(sql, number) {
  await sql.begin(async (tx) => {
    const [first] = await tx`SELECT pg_backend_pid() AS pid`;
    await tx`INSERT INTO t_postgresjs VALUES (${number}, 'kept')`;
    const [second] = await tx`SELECT pg_backend_pid() AS pid`;
    assert.equal(second.pid, first.pid);
  });
  const undone = sql.begin(async (tx) => {
    await tx`INSERT INTO t_postgresjs VALUES (${number}, 'undone')`;
    await tx`SELECT 1/0`;
  });
  assert.equal((await errorOf(undone)).code, '22012');
  await sql.begin(async (tx) => {
    const inner = tx.savepoint((sp) => sp`SELECT * FROM no_such_table`);
    assert.equal((await errorOf(inner)).code, '42P01');
    await tx`INSERT INTO t_postgresjs VALUES (${number}, 'outer')`;
  });
  const rows = await sql`SELECT note FROM t_postgresjs WHERE client = ${number} ORDER BY note`;
  assert.deepEqual(rows.map((row) => row.note), ['kept', 'outer']);
}

async function errors(sql) {
  for (let n = 0; n < 3; n++) {
    assert.equal((await errorOf(sql`SELECT 1 / ${0}::int`)).code, '22012');
    assert.equal((await sql`SELECT 5 AS v`)[0].v, 5);
  }
}

async function copyBothWays(sql, number) {
  const rows = Array.from({ length: 1000 }, (_, n) => `${1000 + number}\trow ${n}\n`);
  await pipeline(Readable.from(rows), await sql`COPY t_postgresjs FROM STDIN`.writable());
  let out = '';
  const reader = await sql`
    COPY (SELECT * FROM t_postgresjs WHERE client = ${sql.unsafe(String(1000 + number))}) TO STDOUT
  `.readable();
  for await (const chunk of reader) out += chunk;
  assert.ok(sameLines(out, rows.join('')), 'rows copied in and out differ');
}

async function cancel(sql) {
  const query = sql`SELECT pg_sleep(60)`;
  const failed = errorOf(query);
  await sleep(500);
  query.cancel();
  assert.equal((await failed).code, '57014');
  assert.equal((await sql`SELECT 9 AS v`)[0].v, 9);
}

async function run(number) {
  const sql = connect(1);
  await prepared(sql);
  await transactions(sql, number);
  await errors(sql);
  await copyBothWays(sql, number);
  if (number < 2) await cancel(sql);
  await prepared(sql);
  await sql.end();
}

async function pooled() {
  const sql = connect(CLIENTS);
  const rows = await Promise.all(Array.from({ length: 500 }, (_, n) => sql`SELECT ${n}::int AS v`));
  rows.forEach((row, n) => assert.equal(row[0].v, n));
  await sql.end();
}

runMain(async () => {
  const sql = connect(1);
  await sql.unsafe('DROP TABLE IF EXISTS t_postgresjs');
  await sql.unsafe('CREATE TABLE t_postgresjs (client int, note text)');
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => run(number)));
  await pooled();
  const [count] = await sql`SELECT count(*)::int AS n FROM t_postgresjs`;
  assert.equal(count.n, CLIENTS * 1002);
  await sql.unsafe('DROP TABLE t_postgresjs');
  await sql.end();
});
