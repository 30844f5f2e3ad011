// Prisma as for a direct connection, without pgbouncer=true: two processes' worth of it, ten
// connections in each, which is what its pool has unless told otherwise.
'use strict';
const pg = require('pg');
const { PrismaPg } = require('@prisma/adapter-pg');
const { PrismaClient } = require('@prisma/client');
const { assert, CLIENTS, errorOf, runMain } = require('./harness');

const TABLES = `
  CREATE TABLE t_prisma_account (
    id serial PRIMARY KEY, client int NOT NULL UNIQUE, balance int NOT NULL DEFAULT 0);
  CREATE TABLE t_prisma_entry (
    id serial PRIMARY KEY, amount int NOT NULL, made timestamptz NOT NULL DEFAULT now(),
    account_id int NOT NULL REFERENCES t_prisma_account);
  ALTER TABLE t_prisma_entry ENABLE ROW LEVEL SECURITY;
  ALTER TABLE t_prisma_entry FORCE ROW LEVEL SECURITY;
  CREATE POLICY own ON t_prisma_entry
    USING (account_id = coalesce(nullif(current_setting('app.account', true), '')::int, account_id))`;

function connect(number) {
  const options = `-c app.process=${number} -c statement_timeout=65s -c TimeZone=Asia/Tokyo`;
  return new PrismaClient({ adapter: new PrismaPg({ options }) });
}

async function settings(prisma, process) {
  const [row] = await prisma.$queryRaw`
    SELECT current_setting('app.process') AS process, current_setting('TimeZone') AS zone,
           current_setting('statement_timeout') AS timeout`;
  assert.deepEqual(row, { process: String(process), zone: 'Asia/Tokyo', timeout: '65s' });
}

async function models(prisma, client) {
  const account = await prisma.account.create({
    data: { client, entries: { create: [{ amount: 1 }, { amount: 2 }, { amount: 3 }] } },
    include: { entries: { orderBy: { id: 'asc' } } },
  });
  assert.deepEqual(account.entries.map((entry) => entry.amount), [1, 2, 3]);
  for (let n = 0; n < 5; n++) {
    const found = await prisma.account.findUnique({
      where: { client },
      include: { entries: { where: { amount: { gt: 1 } }, orderBy: { amount: 'desc' } } },
    });
    assert.deepEqual(found.entries.map((entry) => entry.amount), [3, 2]);
  }
  const again = { data: { client } };
  assert.equal((await errorOf(prisma.account.create(again))).code, 'P2002');
  return account;
}

async function transactions(prisma, account) {
  const where = { id: account.id };
  for (let n = 1; n <= 3; n++) {
    await prisma.$transaction(async (tx) => {
      const [first] = await tx.$queryRaw`SELECT pg_backend_pid() AS pid`;
      await tx.account.update({ where, data: { balance: { increment: 10 } } });
      await tx.entry.create({ data: { accountId: account.id, amount: 10 } });
      const [second] = await tx.$queryRaw`SELECT pg_backend_pid() AS pid`;
      assert.equal(second.pid, first.pid);
    });
  }
  const undone = prisma.$transaction(async (tx) => {
    await tx.account.update({ where, data: { balance: 0 } });
    await tx.$queryRaw`SELECT 1/0`;
  });
  assert.equal((await errorOf(undone)).code, 'P2010');
  const sums = await prisma.$transaction([
    prisma.account.findUniqueOrThrow({ where }),
    prisma.entry.aggregate({ where: { accountId: account.id }, _sum: { amount: true } }),
  ]);
  assert.equal(sums[0].balance, 30);
  assert.equal(sums[1]._sum.amount, 36);
}

// Row level security by a setting, in a transaction's scope, as Prisma's examples do it.
async function security(prisma, account) {
  const [, entries] = await prisma.$transaction([
    prisma.$executeRaw`SELECT set_config('app.account', ${String(account.id)}, true)`,
    prisma.entry.findMany({ orderBy: { id: 'asc' } }),
  ]);
  assert.deepEqual(entries.map((entry) => entry.amount), [1, 2, 3, 10, 10, 10]);
  const [{ left }] = await prisma.$queryRaw`SELECT current_setting('app.account', true) AS left`;
  assert.equal(left || '', '');
}

runMain(async () => {
  const setup = new pg.Client();
  await setup.connect();
  await setup.query('DROP TABLE IF EXISTS t_prisma_entry, t_prisma_account');
  await setup.query(TABLES);
  const processes = [connect(0), connect(1)];
  const work = Array.from({ length: CLIENTS }, async (_, client) => {
    const prisma = processes[client % 2];
    await settings(prisma, client % 2);
    const account = await models(prisma, client);
    await transactions(prisma, account);
    await security(prisma, account);
    await settings(prisma, client % 2);
  });
  await Promise.all(work);
  assert.equal(await processes[0].entry.count(), CLIENTS * 6);
  for (const prisma of processes) await prisma.$disconnect();
  await setup.query('DROP TABLE t_prisma_entry, t_prisma_account');
  await setup.end();
});
