"""Writes the same small log in every text format. Nothing of stipple takes part: Python's own csv, json and gzip,
zstandard, and ReadStat (through pyreadstat) for SAS transport files.

    python3 -m venv v && v/bin/pip install pyreadstat zstandard && v/bin/python make.py
"""

import csv
import datetime
import gzip
import io
import json
import pathlib

import pandas
import pyreadstat
import zstandard

HERE = pathlib.Path(__file__).parent
day = datetime.date.fromisoformat

# name, kind, eight letters for SAS
COLUMNS = [
    ("session_id", "text", "SESSID"), ("patient_id", "text", "PATID"), ("clinic_id", "text", "CLINIC"),
    ("practitioner_id", "text", "PRACT"), ("practitioner_experience_years", "number", "EXPER"),
    ("session_date", "date", "SESSDT"), ("course_session", "whole", "COURSE"), ("setting", "text", "SETTING"),
    ("modality", "text", "MODALITY"), ("device_model", "text", "DEVICE"), ("needle_depth_mm", "number", "DEPTH"),
    ("passes", "whole", "PASSES"), ("rf_energy_mj", "number", "RFENERGY"), ("body_area", "text", "AREA"),
    ("side", "text", "SIDE"), ("indication", "text", "INDIC"), ("age_years", "whole", "AGE"), ("sex", "text", "SEX"),
    ("fitzpatrick", "text", "FITZ"), ("monk", "whole", "MONK"), ("ita_degrees", "number", "ITA"),
    ("conditions", "list", "CONDS"), ("topicals", "list", "TOPICALS"), ("sterile_single_use", "truth", "STERILE"),
    ("pain_vas", "number", "PAIN"), ("last_follow_up_date", "date", "LASTFU"), ("side_effects", "list", "EFFECTS"),
]

N = None
ROWS = [
    ["s01", "0042", "Zürich", "Dr. Müller", 7.5, day("2026-03-02"), 1, "professional", "pen", "Dermapen, 4", 1.5, 3,
     N, "face", N, "acne_scars", 31, "female", "III", 4, 28.25, ["eczema", "keloid_history"], ["vitamin_c"], True, 3.5,
     day("2026-06-15"), ["erythema:1:2026-03-02/2026-03-04", "pih:2:2026-03-30/"]],
    ["s02", "0042", "Zürich", "Dr. Müller", 7.5, day("2026-03-30"), 2, "professional", "pen", "two\nlines", 0.1, 4,
     N, "face", N, "acne_scars", 31, "female", "III", 4, -12.125, ["none"], ["hyaluronic_acid", "prp"], True, 0,
     day("2026-06-15"), ["none"]],
    ["s03", "0043", "Zürich", "Ana \"Nené\" Ruiz", 12, day("2026-03-31"), 1, "professional", "rf", "Morpheus", 3, 2,
     62.5, "abdomen", N, "stretch_marks", 44, "male", "V", 8, N, N, N, True, 6, N, N],
    ["s04", "0044", "Basel", N, N, day("2026-04-01"), 1, "professional", "roller", N, 0.5, 10, N, "cheeks", "left",
     "pores", 25, "other", "II", 2, 41.123456789012, N, ["none"], False, 1, day("2026-05-01"), ["none"]],
    ["s05", "0044", "Basel", N, N, day("2026-04-01"), 1, "professional", "pen", N, 0.5, 10, N, "cheeks", "right",
     "pores", 25, "other", "II", 2, 41.123456789012, N, ["none"], False, 2, day("2026-05-01"), ["swelling:1"]],
    ["s06", "0045", "Basel", "N. 1", 0.25, day("2024-02-29"), N, "home", "roller", "x;y|z", 0.25, 1, N, "scalp", N,
     "alopecia", 67, "male", "I", 1, 60, ["rosacea", "pregnant"], N, N, N, N, N],
    ["s07", "0046", "Genève", "Zoë", 3, day("2026-04-03"), 3, "professional", "laser", N, 1, 2, N, "neck", N,
     "wrinkles", 58, "female", "IV", N, 19.5, N, N, True, 4, N, N],
    ["s08", "0047", "Genève", "Zoë", 3, day("2026-04-03"), 1, "professional", "stamp", N, 1.25, 2, N, "hands", "both",
     "texture", 110, "female", "VI", 10, -45, ["none"], N, True, 10, day("2026-10-04"),
     ["infection:3:2026-04-06/2026-04-20"]],
    ["s09", "0048", "Genève", "Zoë", 3, day("2026-04-04"), 1, "professional", "pen", N, 55, 2, N, "back", N, "scars",
     19, "female", "I", 1, 70, N, N, True, 2, N, N],
    ["s10", "0049", "Genève", N, N, day("2026-12-31"), 12, "professional", "pen", "ünï-çødé 😀", 2, 20, N, "thighs", N,
     "laxity", 0, N, N, N, N, N, N, N, N, N, N],
]


def as_text(kind, value):
    if value is None:
        return ""
    if kind == "list":
        return ";".join(value)
    if kind == "truth":
        return "yes" if value else "no"
    return value.isoformat() if kind == "date" else str(value)


def as_json(kind, value):
    return value.isoformat() if kind == "date" and value else value


def delimited(separator):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerow([name for name, _, _ in COLUMNS])
    writer.writerows([as_text(kind, value) for (_, kind, _), value in zip(COLUMNS, row)] for row in ROWS)
    return out.getvalue().encode()


def objects(leave_out_missing):
    for row in ROWS:
        pairs = {name: as_json(kind, value) for (name, kind, _), value in zip(COLUMNS, row)}
        yield {k: v for k, v in pairs.items() if v is not None} if leave_out_missing else pairs


def dataset_json():
    types = {"text": "string", "list": "string", "number": "double", "whole": "integer", "date": "date",
             "truth": "boolean"}
    columns = [{"itemOID": f"IT.MN.{name}", "name": name, "label": name, "dataType": types[kind]}
               for name, kind, _ in COLUMNS]
    rows = [[";".join(v) if kind == "list" and v else as_json(kind, v) for (_, kind, _), v in zip(COLUMNS, row)]
            for row in ROWS]
    about = {"datasetJSONCreationDateTime": "2026-07-01T00:00:00", "datasetJSONVersion": "1.1.0",
             "itemGroupOID": "IG.MN", "records": len(rows), "name": "MN", "label": "Microneedling sessions",
             "columns": columns}
    return about, rows


def transport(path):
    data = {}
    for at, (_, kind, short) in enumerate(COLUMNS):
        values = [row[at] for row in ROWS]
        if kind in ("number", "whole"):
            data[short] = pandas.array([None if v is None else float(v) for v in values], dtype="Float64")
        elif kind == "date":
            data[short] = values
        elif kind == "truth":
            data[short] = ["" if v is None else "Y" if v else "N" for v in values]
        else:
            data[short] = [as_text(kind, v) for v in values]
    pyreadstat.write_xport(pandas.DataFrame(data), str(path), table_name="MN", file_format_version=5,
                           file_label="Microneedling sessions")


def write(name, content):
    (HERE / name).write_bytes(content)


plain = delimited(",")
write("sessions.csv", plain)
write("sessions.tsv", delimited("\t"))
write("sessions.semicolon.csv", delimited(";"))
write("sessions.csv.gz", gzip.compress(plain, mtime=0))
write("sessions.csv.zst", zstandard.compress(plain))
lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in objects(True))
write("sessions.ndjson", lines.encode())
write("sessions.ndjson.gz", gzip.compress(lines.encode(), mtime=0))
write("sessions.json", json.dumps(list(objects(False)), indent=2).encode())
write("sessions.wrapped.json", json.dumps({"count": len(ROWS), "next": None, "data": list(objects(True))}).encode())
about, rows = dataset_json()
write("sessions.dataset.json", json.dumps(about | {"rows": rows}, ensure_ascii=False).encode())
write("sessions.dataset.ndjson", "".join(json.dumps(line) + "\n" for line in [about, *rows]).encode())
transport(HERE / "sessions.xpt")
mapping = ["# SAS names have eight letters at most.", "version = 1", "", "[columns]"]
mapping += [f'{name} = "{short}"' for name, _, short in COLUMNS]
write("sessions.xpt.mapping.toml", ("\n".join(mapping) + "\n").encode())
