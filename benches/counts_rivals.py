"""The counts of benches/counts.sh by other programs: for every side effect and group the sessions assessed, those with
it, and the sums over patients that a clustered interval needs."""

import glob
import sys

GROUPS = [[], ["clinic_id"], ["modality"], ["device_model"], ["fitzpatrick", "modality"]]


def effects(columns):
    return [column for column in columns if column.endswith("_present")]


def by_duckdb(folder):
    import duckdb

    base = duckdb.connect()
    files = f"read_parquet('{folder}/**/*.parquet')"
    columns = effects([row[0] for row in base.execute(f"describe select * from {files}").fetchall()])
    for group in GROUPS:
        keys = ", ".join(group)
        inner = ", ".join(
            f"count({c}) as n_{i}, coalesce(sum({c}::int), 0) as x_{i}" for i, c in enumerate(columns)
        )
        outer = ", ".join(
            f"sum(n_{i}), sum(x_{i}), sum(n_{i}*n_{i}), sum(x_{i}*x_{i}), sum(n_{i}*x_{i})" for i in range(len(columns))
        )
        by = f"{keys}, " if keys else ""
        end = f" group by {keys}" if keys else ""
        base.execute(
            f"select {by}{outer} from (select {by}source, patient_id, {inner} from {files} group by {by}source, patient_id){end}"
        ).fetchall()


def by_polars(folder):
    import polars as pl

    files = sorted(glob.glob(f"{folder}/**/*.parquet", recursive=True))
    scan = pl.scan_parquet(files)
    columns = effects(scan.collect_schema().names())
    for group in GROUPS:
        inner = scan.group_by(group + ["source", "patient_id"]).agg(
            [pl.col(c).count().alias(f"n_{c}") for c in columns] + [pl.col(c).sum().alias(f"x_{c}") for c in columns]
        )
        sums = [
            term.sum().alias(f"{name}_{c}")
            for c in columns
            for n, x in [(pl.col(f"n_{c}").cast(pl.Int64), pl.col(f"x_{c}").cast(pl.Int64))]
            for name, term in [("n", n), ("x", x), ("nn", n * n), ("xx", x * x), ("nx", n * x)]
        ]
        (inner.group_by(group).agg(sums) if group else inner.select(sums)).collect()


def by_pandas(folder):
    import pandas as pd
    import pyarrow.dataset as ds
    from scipy.stats import norm

    data = ds.dataset(folder, format="parquet", exclude_invalid_files=True)
    columns = effects(data.schema.names)
    names = sorted({name for group in GROUPS for name in group}) + ["source", "patient_id"] + columns
    frame = data.to_table(columns=names).to_pandas()
    z = norm.ppf(0.975)
    for c in columns:
        values = frame[c].astype("float32")
        frame[f"n_{c}"], frame[f"x_{c}"] = values.notna().astype("int32"), values.fillna(0).astype("int32")
    measured = [f"{kind}_{c}" for c in columns for kind in "nx"]
    for group in GROUPS:
        patients = frame.groupby(group + ["source", "patient_id"], observed=True, dropna=False)[measured].sum()
        for c in columns:
            n, x = patients[f"n_{c}"], patients[f"x_{c}"]
            sums = pd.DataFrame({"n": n, "x": x, "nn": n * n, "xx": x * x, "nx": n * x})
            sums = sums.groupby(level=list(range(len(group))), observed=True).sum() if group else sums.sum().to_frame().T
            p = sums.x / sums.n
            (p + z * z / (2 * sums.n)) / (1 + z * z / sums.n)


{"duckdb": by_duckdb, "polars": by_polars, "pandas": by_pandas}[sys.argv[1]](sys.argv[2])
