class CreateAccounts < ActiveRecord::Migration[6.1]
  def change
    create_table :accounts do |t|
      t.integer :client, null: false
      t.integer :balance, null: false, default: 0
      t.integer :lock_version, null: false, default: 0
      t.interval :rest
      t.timestamps
    end
  end
end
