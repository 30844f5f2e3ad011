// pgx v4, which prepares and caches every statement: statements, batches,
// transactions, errors, COPY both ways, its pool, cancel by context.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var background = context.Background()

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
	var failed *pgconn.PgError
	if errors.As(err, &failed) {
		return failed.Code
	}
	return fmt.Sprint(err)
}

func number(conn *pgx.Conn, query string, args ...interface{}) int {
	var value int
	check(conn.QueryRow(background, query, args...).Scan(&value), query)
	return value
}

func prepared(conn *pgx.Conn) {
	for n := 0; n < 20; n++ {
		value := number(conn, "SELECT $1::int + 1", n)
		expect(value == n+1, "cached statement: got %d, expected %d", value, n+1)
	}
	_, err := conn.Prepare(background, "double", "SELECT $1::int * 2")
	check(err, "prepare")
	expect(number(conn, "double", 21) == 42, "statement prepared by name")
	check(conn.Deallocate(background, "double"), "deallocate")
}

func batches(conn *pgx.Conn) {
	batch := &pgx.Batch{}
	for n := 0; n < 50; n++ {
		batch.Queue("SELECT $1::int", n)
	}
	results := conn.SendBatch(background, batch)
	for n := 0; n < 50; n++ {
		var value int
		check(results.QueryRow().Scan(&value), "batch")
		expect(value == n, "batch: got %d, expected %d", value, n)
	}
	check(results.Close(), "batch end")
}

func transactions(conn *pgx.Conn, client int) {
	err := conn.BeginFunc(background, func(tx pgx.Tx) error {
		var first, second int
		check(tx.QueryRow(background, "SELECT pg_backend_pid()").Scan(&first), "pid")
		_, err := tx.Exec(background, "INSERT INTO t_go_pgx VALUES ($1, 'kept')", client)
		check(err, "insert")
		check(tx.QueryRow(background, "SELECT pg_backend_pid()").Scan(&second), "pid")
		expect(first == second, "backend changed from %d to %d", first, second)
		return nil
	})
	check(err, "transaction")
	undo := errors.New("undo")
	err = conn.BeginFunc(background, func(tx pgx.Tx) error {
		_, err := tx.Exec(background, "INSERT INTO t_go_pgx VALUES ($1, 'undone')", client)
		check(err, "insert")
		return undo
	})
	expect(errors.Is(err, undo), "rolled back: %v", err)
	kept := number(conn, "SELECT count(*) FROM t_go_pgx WHERE client = $1", client)
	expect(kept == 1, "%d rows after transactions", kept)
}

func failures(conn *pgx.Conn) {
	for n := 0; n < 3; n++ {
		_, err := conn.Exec(background, "SELECT 1 / $1::int", 0)
		expect(state(err) == "22012", "SQLSTATE: %s", state(err))
		expect(number(conn, "SELECT 5") == 5, "query after an error")
	}
	tx, err := conn.Begin(background)
	check(err, "begin")
	_, err = tx.Exec(background, "SELECT * FROM no_such_table")
	expect(state(err) == "42P01", "SQLSTATE: %s", state(err))
	_, err = tx.Exec(background, "SELECT 1")
	expect(state(err) == "25P02", "SQLSTATE in a failed transaction: %s", state(err))
	check(tx.Rollback(background), "rollback")
}

func copyBothWays(conn *pgx.Conn, client int) {
	rows := make([][]interface{}, 1000)
	for n := range rows {
		rows[n] = []interface{}{int32(client), fmt.Sprintf("row %d", n)}
	}
	copied, err := conn.CopyFrom(background, pgx.Identifier{"t_go_pgx"},
		[]string{"client", "note"}, pgx.CopyFromRows(rows))
	check(err, "copy in")
	expect(copied == 1000, "%d rows copied in", copied)
	var out bytes.Buffer
	query := fmt.Sprintf("COPY (SELECT note FROM t_go_pgx WHERE client = %d) TO STDOUT", client)
	_, err = conn.PgConn().CopyTo(background, &out, query)
	check(err, "copy out")
	lines := bytes.Count(out.Bytes(), []byte("\n"))
	expect(lines == 1000, "%d rows copied out", lines)
}

// pgx gives up the connection of a query whose context ends, and cancels it on the server.
func cancel() {
	conn, err := pgx.Connect(background, "sslmode=disable")
	check(err, "connect")
	soon, stop := context.WithTimeout(background, 500*time.Millisecond)
	defer stop()
	_, err = conn.Exec(soon, "SELECT pg_sleep(60)")
	expect(err != nil, "not cancelled")
}

func cancelRequest(conn *pgx.Conn) {
	timer := time.AfterFunc(500*time.Millisecond, func() {
		check(conn.PgConn().CancelRequest(background), "cancel request")
	})
	defer timer.Stop()
	_, err := conn.Exec(background, "SELECT pg_sleep(60)")
	expect(state(err) == "57014", "cancelled query: %v", err)
	expect(number(conn, "SELECT 9") == 9, "query after a cancel")
}

func pooled(clients int) {
	pool, err := pgxpool.Connect(background, fmt.Sprintf("sslmode=disable pool_max_conns=%d", clients))
	check(err, "pool")
	defer pool.Close()
	var all sync.WaitGroup
	for n := 0; n < 200; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			var value int
			check(pool.QueryRow(background, "SELECT $1::int", n).Scan(&value), "query in pgx's pool")
			expect(value == n, "query in pgx's pool: got %d, expected %d", value, n)
		}(n)
	}
	all.Wait()
}

func run(client int) {
	conn, err := pgx.Connect(background, "sslmode=disable")
	check(err, "connect")
	defer conn.Close(background)
	prepared(conn)
	batches(conn)
	transactions(conn, client)
	failures(conn)
	copyBothWays(conn, 1000+client)
	if client < 2 {
		cancelRequest(conn)
	}
	if client == 2 {
		cancel()
	}
	prepared(conn)
}

func main() {
	clients, err := strconv.Atoi(os.Getenv("CLIENTS"))
	if err != nil {
		clients = 20
	}
	admin, err := pgx.Connect(background, "sslmode=disable")
	check(err, "connect")
	_, err = admin.Exec(background, "DROP TABLE IF EXISTS t_go_pgx")
	check(err, "drop table")
	_, err = admin.Exec(background, "CREATE TABLE t_go_pgx (client int, note text)")
	check(err, "create table")
	var all sync.WaitGroup
	for client := 0; client < clients; client++ {
		all.Add(1)
		go func(client int) {
			defer all.Done()
			run(client)
		}(client)
	}
	all.Wait()
	pooled(clients)
	rows := number(admin, "SELECT count(*) FROM t_go_pgx")
	expect(rows == clients*1001, "%d rows at the end", rows)
	_, err = admin.Exec(background, "DROP TABLE t_go_pgx")
	check(err, "drop table")
	admin.Close(background)
}
