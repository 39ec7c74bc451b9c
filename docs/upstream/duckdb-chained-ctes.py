"""A crash of DuckDB 1.5.6: a chain of common table expressions that is some hundreds long, on a thread with 2 MiB of stack,
which is what Rust gives a thread. DuckDB calls itself once or more for each of them while it binds the statement, and does
not check how much of the stack is left; 900 joins end the same way. Ready to be reported upstream; not reported yet.

    pip install duckdb==1.5.6
    python docs/upstream/duckdb-chained-ctes.py

Expected: an error, or (1,). Seen on Linux x86_64: SIGSEGV with 450, and (1,) with 300. Tidemark counts the tables, joins,
subqueries and SELECTs of a trader's own SQL before DuckDB sees it (src-tauri/engine/src/cache/file/sql/select.rs).
"""

import threading

import duckdb

CHAINED = 450
MIB = 1 << 20


def run():
    links = [f"c{number} AS (SELECT x FROM c{number - 1})" for number in range(1, CHAINED)]
    statement = f"WITH c0 AS (SELECT 1 AS x), {', '.join(links)} SELECT * FROM c{CHAINED - 1}"
    print(duckdb.connect().execute(statement).fetchone())


threading.stack_size(2 * MIB)
thread = threading.Thread(target=run)
thread.start()
thread.join()
