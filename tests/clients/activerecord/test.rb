# Rails' ActiveRecord: migrations under its advisory lock, settings at connect, named statements.
#
# Four processes stand for four of an application server, with five threads in each,
# which is the size that ActiveRecord's own pool has unless told otherwise.
require 'active_record'

CLIENTS = Integer(ENV.fetch('CLIENTS', '20'))
PROCESSES = 4
LOCK = 7003
MIGRATIONS = File.join(__dir__, 'migrations')

CONFIG = {
  adapter: 'postgresql',
  host: ENV['PGHOST'], port: ENV['PGPORT'], database: ENV['PGDATABASE'],
  username: ENV['PGUSER'], password: ENV['PGPASSWORD'],
  schema_search_path: 't_rails', # SET search_path
  variables: { statement_timeout: '65s', 'app.name': 'accounts' }, # SET SESSION ...
  statement_limit: 8 # more than that are DEALLOCATEd, by the names they have in the protocol
}.freeze
SETTINGS = {
  'search_path' => 't_rails', 'statement_timeout' => '65s', 'app.name' => 'accounts',
  'client_min_messages' => 'warning', 'intervalstyle' => 'iso_8601', 'TimeZone' => 'UTC'
}.freeze

class Account < ActiveRecord::Base
  has_many :transfers
  attribute :rest, :interval
end

class Transfer < ActiveRecord::Base
  belongs_to :account
end

def expect_equal(got, wanted, what)
  raise "#{what}: got #{got.inspect}, expected #{wanted.inspect}" unless got == wanted
end

def connect
  ActiveRecord::Base.establish_connection(CONFIG)
  ActiveRecord::Base.connection
end

# Calls work(number) in `count` processes; ends this one when one of them failed.
def run_processes(count)
  ActiveRecord::Base.connection_handler.clear_all_connections!
  children = Array.new(count) do |number|
    fork do
      connect
      yield number
      ActiveRecord::Base.connection_handler.clear_all_connections!
    rescue StandardError => error
      warn "#{error.class}: #{error.message}", error.backtrace.grep(/#{__dir__}/)
      exit! 1
    else
      exit! 0
    end
  end
  failed = children.count { |child| !Process.wait2(child).last.success? }
  abort "#{failed} of #{count} processes failed" if failed.positive?
  connect
end

# A deployment that finds the lock taken gives up, as `rails db:migrate` does, and is started again.
def migrate
  context = ActiveRecord::MigrationContext.new(MIGRATIONS, ActiveRecord::SchemaMigration)
  begin
    context.migrate
  rescue ActiveRecord::ConcurrentMigrationError
    retry
  end
  expect_equal(context.needs_migration?, false, 'migrations left')
end

def check_refused_lock
  one = connect
  pool = ActiveRecord::ConnectionAdapters::ConnectionHandler.new.establish_connection(CONFIG)
  pool.with_connection do |other|
    expect_equal(one.get_advisory_lock(LOCK), true, 'lock')
    3.times do |n|
      one.transaction { one.execute("SET LOCAL app.name = 'round #{n}'") }
      expect_equal(other.get_advisory_lock(LOCK), false, 'lock that another client has')
    end
    expect_equal(other.release_advisory_lock(LOCK), false, 'release of a lock not held')
    expect_equal(one.release_advisory_lock(LOCK), true, 'release')
    expect_equal(other.get_advisory_lock(LOCK), true, 'lock after its release')
    expect_equal(other.release_advisory_lock(LOCK), true, 'release')
  end
  pool.disconnect!
end

def check_settings
  SETTINGS.each do |name, value|
    got = Account.connection.select_value("SELECT current_setting('#{name}')")
    expect_equal(got, value, name)
  end
end

def check_transactions(client)
  account = Account.create!(client: client, rest: 90.minutes)
  10.times do |n|
    Account.transaction do
      account.with_lock { account.update!(balance: account.balance + 10) }
      account.transfers.create!(amount: 10)
      Account.transaction(requires_new: true) do # a savepoint
        account.transfers.create!(amount: 1)
        raise ActiveRecord::Rollback
      end
    end
    account.reload
    expect_equal([account.balance, account.rest], [10 * (n + 1), 90.minutes], 'account')
  end
  begin
    Transfer.transaction { account.transfers.create!(amount: 0) }
    raise 'no error'
  rescue ActiveRecord::StatementInvalid => error
    expect_equal(error.cause.class, PG::CheckViolation, 'error')
  end
  expect_equal(account.transfers.sum(:amount), 100, 'sum of the transfers')
  expect_equal(account.transfers.find_each(batch_size: 3).count, 10, 'transfers in batches')
end

# More texts than statement_limit, round and round, inside of transactions and outside.
def check_statements
  2.times do
    20.times { |n| expect_equal(Account.where(client: -1).limit(n + 1).count, 1, 'limited') }
    Account.transaction do
      20.times do |n|
        conditions = { client: -1, id: [*1..n + 1] }
        expect_equal(Account.where(conditions).pluck(:client), [-1], 'among so many')
      end
    end
  end
end

def client(number)
  Account.connection_pool.with_connection do
    check_settings
    check_transactions(number)
    check_statements
    check_settings
  end
end

ActiveRecord::Migration.verbose = false
Thread.report_on_exception = false
setup = ActiveRecord::Base.establish_connection(CONFIG).connection
setup.execute('DROP SCHEMA IF EXISTS t_rails CASCADE')
setup.execute('CREATE SCHEMA t_rails')
# These two are made before ActiveRecord takes its lock.
[ActiveRecord::SchemaMigration, ActiveRecord::InternalMetadata].each(&:create_table)
check_refused_lock
run_processes(PROCESSES) { migrate }
run_processes(PROCESSES) do |process|
  threads = (process...CLIENTS).step(PROCESSES).map { |number| Thread.new { client(number) } }
  ActiveRecord::Base.connection_pool.release_connection
  threads.each(&:join)
end
expect_equal(Account.count, CLIENTS + 1, 'accounts at the end')
expect_equal(Account.sum(:balance), 100 * CLIENTS, 'balance at the end')
setup = connect
setup.execute('DROP SCHEMA t_rails CASCADE')
