# Outside of a transaction, and the lock is held all the same.
class IndexAccounts < ActiveRecord::Migration[6.1]
  disable_ddl_transaction!

  def change
    add_index :accounts, :client, algorithm: :concurrently
  end
end
