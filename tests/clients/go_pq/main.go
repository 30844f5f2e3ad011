// lib/pq: prepared statements, transactions, errors, COPY, cancel by context.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/lib/pq"
)

func check(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

func expect(ok bool, format string, values ...interface{}) {
	if !ok {
		log.Fatalf(format, values...)
	}
}

func state(err error) string {
	var failed *pq.Error
	if errors.As(err, &failed) {
		return string(failed.Code)
	}
	return fmt.Sprint(err)
}

func number(db *sql.DB, query string, args ...interface{}) int {
	var value int
	check(db.QueryRow(query, args...).Scan(&value), query)
	return value
}

func prepared(db *sql.DB) {
	statement, err := db.Prepare("SELECT $1::int + 1")
	check(err, "prepare")
	for n := 0; n < 20; n++ {
		var value int
		check(statement.QueryRow(n).Scan(&value), "prepared statement")
		expect(value == n+1, "prepared statement: got %d, expected %d", value, n+1)
	}
	check(statement.Close(), "close")
}

func transactions(db *sql.DB, client int) {
	tx, err := db.Begin()
	check(err, "begin")
	var first, second int
	check(tx.QueryRow("SELECT pg_backend_pid()").Scan(&first), "pid")
	_, err = tx.Exec("INSERT INTO t_go_pq VALUES ($1, 'kept')", client)
	check(err, "insert")
	check(tx.QueryRow("SELECT pg_backend_pid()").Scan(&second), "pid")
	expect(first == second, "backend changed from %d to %d", first, second)
	check(tx.Commit(), "commit")
	tx, err = db.Begin()
	check(err, "begin")
	_, err = tx.Exec("INSERT INTO t_go_pq VALUES ($1, 'undone')", client)
	check(err, "insert")
	check(tx.Rollback(), "rollback")
	kept := number(db, "SELECT count(*) FROM t_go_pq WHERE client = $1", client)
	expect(kept == 1, "%d rows after transactions", kept)
}

func failures(db *sql.DB) {
	for n := 0; n < 3; n++ {
		_, err := db.Exec("SELECT 1 / $1::int", 0)
		expect(state(err) == "22012", "SQLSTATE: %s", state(err))
		expect(number(db, "SELECT 5") == 5, "query after an error")
	}
	tx, err := db.Begin()
	check(err, "begin")
	_, err = tx.Exec("SELECT * FROM no_such_table")
	expect(state(err) == "42P01", "SQLSTATE: %s", state(err))
	_, err = tx.Exec("SELECT 1")
	expect(state(err) == "25P02", "SQLSTATE in a failed transaction: %s", state(err))
	check(tx.Rollback(), "rollback")
}

func copyIn(db *sql.DB, client int) {
	tx, err := db.Begin()
	check(err, "begin")
	statement, err := tx.Prepare(pq.CopyIn("t_go_pq", "client", "note"))
	check(err, "copy")
	for n := 0; n < 1000; n++ {
		_, err = statement.Exec(client, fmt.Sprintf("row %d", n))
		check(err, "copy row")
	}
	_, err = statement.Exec()
	check(err, "copy end")
	check(statement.Close(), "copy close")
	check(tx.Commit(), "commit")
	copied := number(db, "SELECT count(*) FROM t_go_pq WHERE client = $1", client)
	expect(copied == 1000, "%d rows copied in", copied)
}

func cancel(db *sql.DB) {
	soon, stop := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer stop()
	_, err := db.ExecContext(soon, "SELECT pg_sleep(60)")
	expect(state(err) == "57014" || errors.Is(err, context.DeadlineExceeded),
		"cancelled query: %v", err)
	expect(number(db, "SELECT 9") == 9, "query after a cancel")
}

func main() {
	clients, err := strconv.Atoi(os.Getenv("CLIENTS"))
	if err != nil {
		clients = 20
	}
	// Everything else comes from the PG* variables.
	admin, err := sql.Open("postgres", "sslmode=disable")
	check(err, "open")
	_, err = admin.Exec("DROP TABLE IF EXISTS t_go_pq; CREATE TABLE t_go_pq (client int, note text)")
	check(err, "create table")
	var all sync.WaitGroup
	for client := 0; client < clients; client++ {
		all.Add(1)
		go func(client int) {
			defer all.Done()
			db, err := sql.Open("postgres", "sslmode=disable")
			check(err, "open")
			db.SetMaxOpenConns(1)
			defer db.Close()
			prepared(db)
			transactions(db, client)
			failures(db)
			copyIn(db, 1000+client)
			if client < 2 {
				cancel(db)
			}
			prepared(db)
		}(client)
	}
	all.Wait()
	rows := number(admin, "SELECT count(*) FROM t_go_pq")
	expect(rows == clients*1001, "%d rows at the end", rows)
	_, err = admin.Exec("DROP TABLE t_go_pq")
	check(err, "drop table")
}
