"""Workbooks with what workbooks do, and the case folders of tests/cases/intake that are workbooks. openpyxl writes
ills.xlsx; LibreOffice calculates it and writes it again as saved.xlsx, saved.xls and saved.ods; msoffcrypto-tool
encrypts.

    python3 -m venv v && v/bin/pip install openpyxl msoffcrypto-tool pyarrow
    v/bin/python make.py        (soffice must be on the path)
"""

import datetime
import io
import pathlib
import subprocess

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from msoffcrypto.format.ooxml import OOXMLFile
from openpyxl.styles import PatternFill

HERE = pathlib.Path(__file__).parent
INTAKE = HERE.parent / "intake"
HEADER = ["session_id", "patient_id", "clinic_id", "session_date", "setting", "modality", "body_area", "indication",
          "needle_depth_mm"]


def session(number, depth=1.5):
    return [f"s{number}", f"P-00{number}", "c1", datetime.date(2026, 3, number), "professional", "pen", "face",
            "acne_scars", depth]


def filled(book, title, rows):
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(row)
    return sheet


def ills():
    book = openpyxl.Workbook()
    grey = PatternFill("solid", fgColor="DDDDDD")
    book.active.title = "Only formats"
    for row in range(1, 40):
        book.active.cell(row, 3).fill = grey

    sheet = filled(book, "Titles", [["Session log of the clinic on the lake"], [], ["March 2026"], HEADER, session(1)])
    sheet.merge_cells("A1:I1")
    sheet.append([])
    sheet.append([])
    sheet.append(session(2))
    sheet.append(["  ", None, " "])
    sheet.append(session(3))
    for row in range(11, 200):
        sheet.cell(row, 2).fill = grey
    sheet.cell(5, 14).value = None
    sheet.cell(6, 15).value = "a note beside an empty row"

    filled(book, "Two cells above", [["Clinic:", "Harbour"], HEADER, session(1), session(2)])
    filled(book, "No header", [session(1), session(2)])
    filled(book, "Header only", [HEADER])
    filled(book, "One cell", [["Instructions: fill in the next sheet"]])

    sheet = filled(book, "Hidden parts", [HEADER, session(1), session(2), session(3)])
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["I"].hidden = True
    sheet.sheet_state = "hidden"

    sheet = book.create_sheet("Further down")
    for column, name in enumerate(HEADER):
        sheet.cell(7, 3 + column).value = "needle\n depth (mm)" if name == "needle_depth_mm" else name
        for number in (1, 2):
            sheet.cell(7 + number, 3 + column).value = session(number)[column]

    values = filled(book, "Values", [["what", "value"]])
    things = [
        ("text", "plain", None), ("a number typed as text", "007", "@"), ("number", 1.5, None),
        ("not quite 1.5", 1.499999999999998, "0.0"), ("whole", 3.0, None), ("percent", 0.5, "0%"),
        ("large", 123456789012345, None), ("small", 0.0000001, None), ("negative", -0.25, None), ("yes", True, None),
        ("no", False, None), ("date", datetime.date(2026, 3, 2), "dd.mm.yyyy"),
        ("date and time", datetime.datetime(2026, 3, 2, 10, 30), "yyyy-mm-dd hh:mm"),
        ("midnight", datetime.datetime(2026, 3, 2), "yyyy-mm-dd hh:mm"), ("time", datetime.time(10, 30), "hh:mm"),
        ("span", datetime.timedelta(hours=30, minutes=15), "[hh]:mm:ss"), ("two lines", "one\ntwo", None),
        ("umlauts", "Zürich <&> \"Genève\" 😀", None), ("sum", "=1+0.5", None), ("day", "=DATE(2026,3,2)", "yyyy-mm-dd"),
        ("words", '="a"&"b"', None), ("nothing", '=""', None), ("truth", "=1=1", None), ("not there", "=NA()", None),
        ("by zero", "=1/0", None), ("no name", "=nosuchname+1", None),
    ]
    for what, value, style in things:
        values.append([what, value])
        if style:
            values.cell(values.max_row, 2).number_format = style
    values.cell(2, 2).quotePrefix = True
    book.save(HERE / "ills.xlsx")


def saved():
    for kind in ("xlsx", "xls", "ods"):
        subprocess.run(["soffice", "--headless", "--convert-to", kind, "--outdir", "/tmp/workbooks",
                        str(HERE / "ills.xlsx")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (HERE / f"saved.{kind}").write_bytes(pathlib.Path(f"/tmp/workbooks/ills.{kind}").read_bytes())


def encrypted():
    plain = OOXMLFile(open(HERE / "ills.xlsx", "rb"))
    out = io.BytesIO()
    plain.encrypt("secret", out)
    (HERE / "encrypted.xlsx").write_bytes(out.getvalue())


def case(name, rows, sheet="Sessions"):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(INTAKE / name / "sessions.xlsx")


def cases():
    header = [*HEADER, "checked"]
    case("error_cell", [["Log"], header, session(1) + ["yes"], session(2, "#N/A") + ["yes"], session(3) + ["#REF!"]])
    case("formula_without_result", [header, session(1) + ["=1+1"], session(2, "=1+0.5") + ["x"]])
    case("value_without_header", [HEADER, session(1), session(2) + [None, "called on Monday"]], "P-002 Ms Miller")
    rows = [session(1), session(2), session(3)]
    table = {name: [row[at] for row in rows] for at, name in enumerate(HEADER)}
    table["device_model"] = pa.array([b"Dermapen", b"\xff\xd8\xff\xe0", None], pa.binary())
    table["photo"] = pa.array([b"\xff\xd8", b"\xff\xd8", b"\xff\xd8"], pa.binary())
    pq.write_table(pa.table(table), INTAKE / "value_without_text" / "sessions.parquet")


ills()
saved()
encrypted()
cases()
