"""Every kind of Arrow column, by pyarrow: kinds.parquet, kinds.arrow (a file) and kinds.arrows (a stream), and a
Feather file of the first version.

    python3 -m venv v && v/bin/pip install pyarrow && v/bin/python make.py
"""

import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
utc = datetime.timezone.utc
# The clocks of New York show 23:30 on 2 March.
late = datetime.datetime(2026, 3, 3, 4, 30, tzinfo=utc)
moment = datetime.datetime(2026, 3, 2, 10, 30)
point = pa.struct([("type", pa.string()), ("tone", pa.struct([("monk", pa.int8())]))])

COLUMNS = {
    "bool": pa.array([True, False, None]),
    "int8": pa.array([-128, 127, None], pa.int8()),
    "uint64": pa.array([18446744073709551615, 0, None], pa.uint64()),
    "int64": pa.array([-9223372036854775808, 9007199254740993, None], pa.int64()),
    "float32": pa.array([0.1, 16777216.0, None], pa.float32()),
    "float64": pa.array([0.1, float("nan"), None], pa.float64()),
    "float64b": pa.array([1.4999999999999998, -0.0, 1e-7], pa.float64()),
    "float64c": pa.array([3.0, 1e21, float("inf")], pa.float64()),
    "decimal": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-12345678901234567890.12"), None],
                        pa.decimal128(38, 2)),
    "string": pa.array(["Zürich 😀", "", None]),
    "large_string": pa.array(["a", "b;c", None], pa.large_string()),
    "dictionary": pa.array(["pen", "rf", None]).dictionary_encode(),
    "binary": pa.array([b"text", b"\xff\xfe", None]),
    "uuid": pa.array([bytes(range(16)), bytes(16), None], pa.binary(16)),
    "fixed": pa.array([b"abc", b"def", None], pa.binary(3)),
    "date32": pa.array([datetime.date(2026, 3, 2), datetime.date(1969, 12, 31), None]),
    "timestamp_s": pa.array([moment, datetime.datetime(2026, 3, 2), None], pa.timestamp("s")),
    "timestamp_ns": pa.array([moment + datetime.timedelta(milliseconds=250), None, None], pa.timestamp("ns")),
    "new_york": pa.array([late, None, None], pa.timestamp("us", "America/New_York")),
    "utc": pa.array([late, None, None], pa.timestamp("us", "UTC")),
    "time": pa.array([datetime.time(10, 30), None, None], pa.time64("us")),
    "duration": pa.array([datetime.timedelta(days=3), datetime.timedelta(hours=30, minutes=15), None],
                         pa.duration("us")),
    "list": pa.array([["a", "b"], [], None], pa.list_(pa.string())),
    "list_of_numbers": pa.array([[1.5, None, 2.0], [None], None], pa.list_(pa.float64())),
    "skin": pa.array([{"type": "III", "tone": {"monk": 5}}, {"type": None, "tone": None}, None], point),
    "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int8())),
    "null": pa.nulls(3),
}

table = pa.table(COLUMNS)
pq.write_table(table, HERE / "kinds.parquet", compression="snappy")
more = table.append_column("date64", pa.array([datetime.date(2026, 3, 2), None, None], pa.date64()))
more = more.append_column("string_view", pa.array(["a text that is longer than twelve bytes", "b", None],
                                                  pa.string_view()))
more = more.append_column("decimal256", pa.array([decimal.Decimal("0.5"), None, None], pa.decimal256(50, 1)))
with pa.ipc.new_file(HERE / "kinds.arrow", more.schema) as writer:
    writer.write_table(more)
with pa.ipc.new_stream(HERE / "kinds.arrows", more.schema) as writer:
    writer.write_table(more)
pyarrow.feather.write_feather(pa.table({"a": ["x"]}), HERE / "version_1.feather", version=1)
