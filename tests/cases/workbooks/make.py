"""Workbooks with what workbooks do, and the case folders of tests/cases/intake that are workbooks. openpyxl writes
ills.xlsx; LibreOffice calculates it and writes it again as saved.xlsx, saved.xls and saved.ods; msoffcrypto-tool
encrypts.

    python3 -m venv v && v/bin/pip install openpyxl msoffcrypto-tool pyarrow
    v/bin/python make.py        (soffice must be on the path)
"""

import datetime
import io
import pathlib
import struct
import subprocess
import zipfile

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


def xlsb():
    """No free program writes this format: a small one after [MS-XLSB], which LibreOffice reads as it is meant."""
    def record(kind, data=b""):
        number = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
        length = len(data)
        return number + (bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])) + data

    def wide(text):
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    def cell(kind, column, data):
        return record(kind, struct.pack("<II", column, 0) + data)

    def row(number, *cells):
        return record(0, struct.pack("<IIHHBII", number, 0, 300, 0, 0, 1, 0) + struct.pack("<I", 1)) + b"".join(cells)

    def text(column, words):
        return cell(6, column, wide(words))

    def formula(kind, column, result, tokens):
        return cell(kind, column, result + struct.pack("<HI", 0, len(tokens)) + tokens + struct.pack("<I", 0))

    one_by_zero, one_and_half = b"\x1e\x01\x00\x1e\x00\x00\x06", b"\x1f" + struct.pack("<d", 1.5)
    rows = [
        row(0, text(0, "what"), text(1, "value"), text(2, "note")),
        row(1, text(0, "number"), cell(5, 1, struct.pack("<d", 1.25)), text(2, "x")),
        row(2, text(0, "truth"), cell(4, 1, b"\x01"), text(2, "x")),
        row(3, text(0, "error"), cell(3, 1, b"\x2a"), text(2, "x")),
        row(4, text(0, "formula"), formula(9, 1, struct.pack("<d", 1.5), one_and_half), text(2, "x")),
        row(5, text(0, "by zero"), formula(11, 1, b"\x07", one_by_zero), text(2, "x")),
        row(6, text(0, "at the end"), formula(11, 1, b"\x07", one_by_zero)),
    ]
    sheet = record(0x81) + record(0x94, struct.pack("<IIII", 0, 6, 0, 2)) + record(0x91) + b"".join(rows)
    sheet += record(0x92) + record(0x82)
    book = record(0x83) + record(0x8F) + record(0x9C, struct.pack("<II", 0, 1) + wide("rId1") + wide("Values"))
    book += record(0x90) + record(0x84)
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def relations(kind, target):
        return (f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
                f'Type="{office}/{kind}" Target="{target}"/></Relationships>')

    kinds = (f'<?xml version="1.0"?><Types xmlns="{package}/content-types"><Default Extension="rels" '
             'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
             'PartName="/xl/workbook.bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
             '<Override PartName="/xl/worksheets/sheet1.bin" ContentType="application/vnd.ms-excel.worksheet"/></Types>')
    with zipfile.ZipFile(HERE / "by_hand.xlsb", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("[Content_Types].xml", kinds)
        out.writestr("_rels/.rels", relations("officeDocument", "xl/workbook.bin"))
        out.writestr("xl/workbook.bin", book)
        out.writestr("xl/_rels/workbook.bin.rels", relations("worksheet", "worksheets/sheet1.bin"))
        out.writestr("xl/worksheets/sheet1.bin", sheet)


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
xlsb()
encrypted()
cases()
