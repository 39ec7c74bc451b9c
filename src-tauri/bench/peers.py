"""Reads a whole collection with a peer of Tidemark's, and prints what it took as JSON.

Usage: peers.py arrow|csv URI DATABASE COLLECTION TARGET
"""

import csv
import json
import resource
import sys
import time


def arrow(collection, target):
    """All documents as one Arrow table, stored as a table of a DuckDB file."""
    import duckdb
    from pymongoarrow.api import find_arrow_all

    documents = find_arrow_all(collection, {})
    with duckdb.connect(target) as connection:
        connection.register("documents", documents)
        connection.execute("CREATE TABLE messages AS SELECT * FROM documents")
    return documents.num_rows


def flat(document, prefix=""):
    """Dotted paths and values of a document."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def cursor_to_csv(collection, target):
    """A cursor to CSV. The columns are those of the first thousand documents."""
    columns = {}
    for document in collection.find().limit(1_000):
        columns.update(dict.fromkeys(path for path, _ in flat(document)))
    rows = 0
    with open(target, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(columns), extrasaction="ignore")
        writer.writeheader()
        for document in collection.find():
            writer.writerow(dict(flat(document)))
            rows += 1
    return rows


def main():
    """Runs the peer that the arguments name."""
    from pymongo import MongoClient

    peer, uri, database, name, target = sys.argv[1:]
    collection = MongoClient(uri)[database][name]
    begun = time.monotonic()
    rows = {"arrow": arrow, "csv": cursor_to_csv}[peer](collection, target)
    ms = (time.monotonic() - begun) * 1_000
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "ms": ms,
                "rows": rows,
                "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1_000,
                # Linux counts in KiB.
                "peak_bytes": usage.ru_maxrss * 1_024,
            }
        )
    )


if __name__ == "__main__":
    main()
