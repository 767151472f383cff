"""The same content, read and typed by DuckDB or Polars into one Parquet file: ingest_rivals.py duckdb|polars OUT LOG...

`amend OUT LOG...` writes 500 rows of the newest 90 days with another number of passes: a day's amendments.
"""
import sys

engine, out, logs = sys.argv[1], sys.argv[2], sys.argv[3:]
if engine == "duckdb":
    import duckdb

    connection = duckdb.connect()
    names = ", ".join(f"'{log}'" for log in logs)
    connection.execute(f"COPY (SELECT * FROM read_csv([{names}], header = true)) TO '{out}' (FORMAT parquet)")
elif engine == "amend":
    import csv
    import datetime

    # Row by row: a log of millions of rows does not fit the memory as dictionaries.
    def rows():
        for log in logs:
            yield from csv.DictReader(open(log, encoding="utf-8-sig"))

    newest = datetime.date.fromisoformat(max(row["session_date"] for row in rows()))
    since = (newest - datetime.timedelta(days=90)).isoformat()
    recent = sum(row["session_date"] >= since for row in rows())
    every, met, written = max(1, recent // 500), 0, 0
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = None
        for row in rows():
            if row["session_date"] < since:
                continue
            writer = writer or csv.DictWriter(file, row.keys())
            if met == 0:
                writer.writeheader()
            if met % every == 0 and written < 500:
                writer.writerow(row | {"passes": str(int(row["passes"] or 1) % 8 + 1)})
                written += 1
            met += 1
else:
    import polars

    polars.scan_csv(logs, try_parse_dates=True, infer_schema_length=10_000).sink_parquet(out)
