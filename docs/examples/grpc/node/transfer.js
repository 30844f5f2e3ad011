// A transaction in several steps: what the second statement does depends on the first.
'use strict';

const { grpc, metadata, services } = require('./services');

const login = {
  database: process.env.PGDATABASE,
  user: process.env.PGUSER,
  password: process.env.PGPASSWORD,
};

async function main() {
  const client = services('Query');
  const stream = client.Transact(metadata);
  const parts = stream[Symbol.asyncIterator]();

  // Sends one action, and returns the rows of its answer.
  async function tell(action) {
    stream.write(action);
    const rows = [];
    for (;;) {
      const { value, done } = await parts.next();
      if (done) throw new Error('the agent ended the transaction');
      if (value.part === 'error') throw new Error(`${value.error.sqlstate} ${value.error.message}`);
      const answer = value.response;
      if (answer.part === 'rows') rows.push(...answer.rows.rows);
      if (answer.part === 'complete') return rows;
    }
  }
  const run = (sql, ...parameters) => tell({ statement: { sql, parameters } });

  try {
    await tell({ begin: { login, isolation_level: 'ISOLATION_LEVEL_SERIALIZABLE' } });
    await run('CREATE TEMPORARY TABLE account (name text, cents int) ON COMMIT DROP');
    await run("INSERT INTO account VALUES ('a', 1000), ('b', 0)");
    const [{ values: [balance] }] = await run('SELECT cents FROM account WHERE name = $1', { text: 'a' });
    const half = { int: String(Number(balance.int) / 2) };
    await run("UPDATE account SET cents = cents - $1::int WHERE name = 'a'", half);
    await run("UPDATE account SET cents = cents + $1::int WHERE name = 'b'", half);
    const rows = await run('SELECT name, cents FROM account ORDER BY name');
    for (const { values: [name, cents] } of rows) console.log(`${name.text} ${cents.int}`);
    await tell({ commit: {} });
    console.log('committed');
  } catch (error) {
    const name = grpc.status[error.code];
    console.error(name ? `${name}: ${error.details}` : error.message);
    process.exitCode = 1;
  } finally {
    stream.end();
    client.close();
  }
}

main();
