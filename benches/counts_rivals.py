"""The counts of benches/counts.sh by other programs: for every side effect and group the sessions assessed, those with
it, and the sums over patients that a clustered interval needs; the same of grade 3 or worse, with the sessions by worst
grade; and for every column of the log how many sessions lack it, by clinic."""

import glob
import sys

GROUPS = [[], ["clinic_id"], ["modality"], ["device_model"], ["fitzpatrick", "modality"]]
GRADES = range(1, 6)
OURS = {
    "source", "session_key_high", "session_key_low", "row_hash", "store_version", "file_number", "line", "record",
    "asked", "needle_depth_band", "age_band",
}


def effects(columns):
    return [column.removesuffix("_present") for column in columns if column.endswith("_present")]


def logged(columns):
    """The columns of a session's own row."""
    known = tuple(f"{effect}_{what}" for effect in effects(columns) for what in ("present", "grade", "onset_days", "days", "resolved"))
    return [column for column in columns if column not in known and column not in OURS]


def by_duckdb(folder):
    import duckdb

    base = duckdb.connect()
    files = f"read_parquet('{folder}/**/*.parquet')"
    columns = [row[0] for row in base.execute(f"describe select * from {files}").fetchall()]
    known = effects(columns)

    def sums(group, assessed, present):
        keys = ", ".join(group)
        inner = ", ".join(
            f"count_if({assessed(e)}) as n_{i}, count_if({present(e)}) as x_{i}" for i, e in enumerate(known)
        )
        outer = ", ".join(
            f"sum(n_{i}), sum(x_{i}), sum(n_{i}*n_{i}), sum(x_{i}*x_{i}), sum(n_{i}*x_{i})" for i in range(len(known))
        )
        by = f"{keys}, " if keys else ""
        end = f" group by {keys}" if keys else ""
        return base.execute(
            f"select {by}{outer} from (select {by}source, patient_id, {inner} from {files} group by {by}source, patient_id){end}"
        ).fetchall()

    for group in GROUPS:
        sums(group, lambda e: f"{e}_present is not null", lambda e: f"{e}_present")
    sums([], lambda e: f"not {e}_present or {e}_grade is not null", lambda e: f"{e}_grade >= 3")
    by_grade = ", ".join(f"count_if({e}_grade = {grade})" for e in known for grade in GRADES)
    base.execute(f"select {by_grade} from {files}").fetchall()
    lacking = ", ".join(f"count(*) - count({column})" for column in logged(columns))
    base.execute(f"select clinic_id, count(*), {lacking} from {files} group by clinic_id").fetchall()


def by_polars(folder):
    import polars as pl

    files = sorted(glob.glob(f"{folder}/**/*.parquet", recursive=True))
    scan = pl.scan_parquet(files)
    columns = scan.collect_schema().names()
    known = effects(columns)

    def sums(group, assessed, present):
        inner = scan.group_by(group + ["source", "patient_id"]).agg(
            [assessed(e).sum().cast(pl.Int64).alias(f"n_{e}") for e in known]
            + [present(e).sum().cast(pl.Int64).alias(f"x_{e}") for e in known]
        )
        terms = [
            term.sum().alias(f"{name}_{e}")
            for e in known
            for n, x in [(pl.col(f"n_{e}"), pl.col(f"x_{e}"))]
            for name, term in [("n", n), ("x", x), ("nn", n * n), ("xx", x * x), ("nx", n * x)]
        ]
        return (inner.group_by(group).agg(terms) if group else inner.select(terms)).collect()

    def has(e):
        return pl.col(f"{e}_present")

    def grade(e):
        return pl.col(f"{e}_grade")

    for group in GROUPS:
        sums(group, lambda e: has(e).is_not_null(), has)
    sums([], lambda e: ~has(e) | grade(e).is_not_null(), lambda e: grade(e) >= 3)
    scan.select([(grade(e) == g).sum().alias(f"{e}_{g}") for e in known for g in GRADES]).collect()
    own = [column for column in logged(columns) if column != "clinic_id"]
    scan.group_by("clinic_id").agg([pl.len()] + [pl.col(column).null_count() for column in own]).collect()


def by_pandas(folder):
    import pandas as pd
    import pyarrow.dataset as ds
    from scipy.stats import norm

    data = ds.dataset(folder, format="parquet", exclude_invalid_files=True)
    known, own = effects(data.schema.names), logged(data.schema.names)
    states = [f"{e}_{what}" for e in known for what in ("present", "grade")]
    # As categories: texts of a million sessions are what takes longest otherwise.
    frame = data.to_table(columns=own + ["source"] + states).to_pandas(strings_to_categorical=True)
    z = norm.ppf(0.975)

    def sums(group, assessed, present):
        counted = {f"n_{e}": assessed(e).astype("int32") for e in known}
        counted |= {f"x_{e}": present(e).astype("int32") for e in known}
        keys = group + ["source", "patient_id"]
        frame_of = pd.concat([frame[keys], pd.DataFrame(counted)], axis=1)
        patients = frame_of.groupby(keys, observed=True, dropna=False)[list(counted)].sum()
        for e in known:
            n, x = patients[f"n_{e}"], patients[f"x_{e}"]
            cells = pd.DataFrame({"n": n, "x": x, "nn": n * n, "xx": x * x, "nx": n * x})
            levels = list(range(len(group)))
            cells = cells.groupby(level=levels, observed=True).sum() if group else cells.sum().to_frame().T
            p = cells.x / cells.n
            (p + z * z / (2 * cells.n)) / (1 + z * z / cells.n)

    has = {e: frame[f"{e}_present"].astype("float32") for e in known}
    grade = {e: frame[f"{e}_grade"] for e in known}
    for group in GROUPS:
        sums(group, lambda e: has[e].notna(), lambda e: has[e] == 1)
    sums([], lambda e: (has[e] == 0) | grade[e].notna(), lambda e: grade[e] >= 3)
    for e in known:
        grade[e].value_counts()
    frame[own].isna().groupby(frame["clinic_id"], observed=True).sum()


{"duckdb": by_duckdb, "polars": by_polars, "pandas": by_pandas}[sys.argv[1]](sys.argv[2])
