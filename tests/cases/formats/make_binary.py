"""Writes the log of sessions.csv in every binary format. Nothing of stipple takes part: openpyxl, XlsxWriter,
LibreOffice, odfpy (through pandas), pyarrow, polars and DuckDB write the files.

    python3 -m venv v && v/bin/pip install pyarrow openpyxl xlsxwriter pandas odfpy polars duckdb
    v/bin/python make_binary.py        (soffice must be on the path)
"""

import csv
import datetime
import pathlib
import subprocess

import duckdb
import openpyxl
import pandas
import polars
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import xlsxwriter

HERE = pathlib.Path(__file__).parent
NUMBERS = {"practitioner_experience_years", "needle_depth_mm", "rf_energy_mj", "ita_degrees", "pain_vas"}
WHOLE = {"course_session", "passes", "age_years", "monk"}
DATES = {"session_date", "last_follow_up_date"}
LISTS = {"conditions", "topicals", "side_effects"}


def value(name, text):
    if text == "":
        return None
    if name in NUMBERS:
        return float(text)
    if name in WHOLE:
        return int(text)
    if name in DATES:
        return datetime.date.fromisoformat(text)
    if name == "sterile_single_use":
        return text == "yes"
    return text


with open(HERE / "sessions.csv", newline="") as file:
    NAMES, *LINES = list(csv.reader(file))
ROWS = [[value(name, text) for name, text in zip(NAMES, line)] for line in LINES]


def convert(source, target, to):
    """LibreOffice reads one workbook and writes another."""
    subprocess.run(["soffice", "--headless", "--convert-to", to, "--outdir", "/tmp/formats", str(HERE / source)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = pathlib.Path("/tmp/formats") / (pathlib.Path(source).stem + "." + to)
    (HERE / target).write_bytes(made.read_bytes())


def workbooks():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sessions"
    for row in [NAMES, *ROWS]:
        sheet.append(row)
    book.save(HERE / "sessions.xlsx")
    convert("sessions.xlsx", "sessions.ods", "ods")
    convert("sessions.xlsx", "sessions.xls", "xls")
    convert("sessions.ods", "sessions.libreoffice.xlsx", "xlsx")

    # Titles above the header, the epoch of old Macintosh computers, a first sheet without content, and numbers that
    # were typed as text.
    book = xlsxwriter.Workbook(HERE / "sessions.1904.xlsx", {"date_1904": True, "strings_to_numbers": False})
    book.add_worksheet("Empty")
    sheet = book.add_worksheet("Log 2026")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.merge_range("A1:H1", "Clinic on the lake: session log")
    sheet.write("A2", "printed for the audit")
    for column, name in enumerate(NAMES):
        sheet.write_string(3, column, name)
        for row, values in enumerate(ROWS):
            cell = values[column]
            if isinstance(cell, datetime.date):
                sheet.write_datetime(4 + row, column, cell, day)
            elif isinstance(cell, bool):
                sheet.write_boolean(4 + row, column, cell)
            elif cell is not None and name == "passes":
                sheet.write_string(4 + row, column, str(cell))
            elif cell is not None:
                sheet.write(4 + row, column, cell)
    book.close()
    frame = pandas.DataFrame(ROWS, columns=NAMES).astype(object)
    frame.to_excel(HERE / "sessions.odfpy.ods", engine="odf", index=False)


def columns(kind):
    made = {}
    for at, name in enumerate(NAMES):
        values = [row[at] for row in ROWS]
        if name in NUMBERS:
            made[name] = pa.array(values, pa.float64())
        elif name in WHOLE:
            made[name] = pa.array(values, pa.int16())
        elif name == "last_follow_up_date" and kind == "rich":
            moments = [v and datetime.datetime.combine(v, datetime.time(10, 30)) for v in values]
            made[name] = pa.array(moments, pa.timestamp("us"))
        elif name in DATES:
            made[name] = pa.array(values, pa.date32())
        elif name == "sterile_single_use":
            made[name] = pa.array(values, pa.bool_())
        elif name in LISTS and kind == "rich":
            made[name] = pa.array([v and v.split(";") for v in values], pa.list_(pa.string()))
        elif name in ("clinic_id", "modality") and kind == "rich":
            made[name] = pa.array(values, pa.string()).dictionary_encode()
        else:
            made[name] = pa.array(values, pa.string())
    return pa.table(made)


def arrow():
    plain, rich = columns("plain"), columns("rich")
    pq.write_table(plain, HERE / "sessions.parquet")
    pq.write_table(rich, HERE / "sessions.rich.parquet", compression="zstd", row_group_size=3)
    pq.write_table(plain, HERE / "sessions.gzip.parquet", compression="gzip", use_dictionary=False,
                   data_page_version="2.0", version="1.0")
    pq.write_table(plain, HERE / "sessions.lz4.parquet", compression="lz4")
    pq.write_table(plain, HERE / "sessions.brotli.parquet", compression="brotli")
    frame = polars.from_arrow(rich)
    frame.write_parquet(HERE / "sessions.polars.parquet")
    frame.write_ipc(HERE / "sessions.polars.arrow", compression="zstd")
    duckdb.sql(f"COPY (SELECT * FROM rich) TO '{HERE}/sessions.duckdb.parquet' (FORMAT parquet)")
    with pa.ipc.new_file(HERE / "sessions.arrow", rich.schema) as writer:
        writer.write_table(rich, max_chunksize=4)
    with pa.ipc.new_stream(HERE / "sessions.arrows", rich.schema,
                           options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(rich, max_chunksize=4)
    pyarrow.feather.write_feather(plain, HERE / "sessions.feather", compression="lz4")


workbooks()
arrow()
