-- A crash of DuckDB 1.5.6: an INSERT that reads from the table it writes to, in the transaction that created the
-- table, if full row groups go to disk while they are filled. The statement writes the row group that it is
-- still reading and frees it. Ready to be reported upstream; not reported yet.
--
--     duckdb < docs/upstream/duckdb-insert-select-same-table.sql
--
-- Expected: 49152. Seen on Linux x86_64: SIGSEGV, or, with other sizes, an INTERNAL error that invalidates the
-- database. It takes one thread, a write buffer of one row group, and a table that ends at or near the end of a
-- row group. Tidemark sets both, so no statement of its own names one table on both sides: `cargo xtask test`
-- checks that.

SET threads = 1;
SET write_buffer_row_group_count = 1;
ATTACH 'insert-select-same-table.duckdb' AS cache (ROW_GROUP_SIZE 24576, STORAGE_VERSION 'v1.5.0');
USE cache;

BEGIN TRANSACTION;
CREATE TABLE message (day INTEGER, trade VARCHAR, doc BLOB);
INSERT INTO message
    SELECT 1, 'T' || (range // 3), repeat(md5(range::VARCHAR), 10)::BLOB FROM range(24576);
INSERT INTO message SELECT 2, trade, doc FROM message;
COMMIT;
SELECT count(*) FROM message;
