"""Account records: the accounts table, joined to the accounts that the log shows, as keys.

The latest snapshot of an account (`as_of`, then the row that stands later) counts. Placeholder values are null: two accounts without a card
share nothing. A value that does not fit its column's type is null and counted; a column none of whose values fits is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pyarrow import types as pt

from pipeline.contract import ACCOUNT_COLUMNS
from pipeline.errors import InputError, SchemaError
from pipeline.ingest.addresses import address_keys, prefix_keys
from pipeline.ingest.casting import cast_fitting, cast_values, castable
from pipeline.ingest.context import Context
from pipeline.ingest.placeholders import without_placeholders
from pipeline.measures import fingerprints as fp
from pipeline.schema import ACCOUNT_RECORDS

_PLACED = (
    "organization_id",
    "signup_ip_hash",
    "email_domain",
    "email_hash",
    "email_local_shape",
    "phone_hash",
    "payment_fingerprint",
    "device_fingerprint",
    "reseller_id",
    "referral_code",
)
"""Columns whose shared value would link accounts: placeholders in them are null."""
_KEYS = {
    "organization_key": ("organization_id", "organization"),
    "email_key": ("email_hash", "email"),
    "email_shape_key": ("email_local_shape", "email_shape"),
    "phone_key": ("phone_hash", "phone"),
    "payment_key": ("payment_fingerprint", "payment"),
    "device_key": ("device_fingerprint", "device"),
    "referral_key": ("referral_code", "referral"),
    "reseller_key": ("reseller_id", "reseller"),
}
"""Keys of a record: the column of the accounts table, and the namespace."""
_LABELS = ("email_domain_class", "payment_type", "verification_level", "access_pathway", "plan", "status")
_VOUCHED_PATHWAYS = ("enterprise", "reseller")
_NO_TABLE: tuple[dict[str, pa.Array], dict[str, int], tuple[str, ...]] = ({"account_id": pa.nulls(0, pa.string())}, {}, ())
_TYPES = {"BIGINT": pl.Int64, "VARCHAR": pl.String, "BOOLEAN": pl.Boolean}


@dataclass(frozen=True)
class RecordCoverage:
    """How many accounts of the log have a value in each column of the accounts table. Placeholders do not count."""

    accounts: int
    """Accounts of the log, with a record or without."""
    counts: Mapping[str, int]


@dataclass(frozen=True)
class AccountTable:
    """Account records of the accounts that the log shows."""

    records: pl.DataFrame
    """Table account_records, sorted by account_key."""
    coverage: RecordCoverage
    misfits: Mapping[str, int]
    """Values of the accounts table that did not fit their column's type, by column."""
    unknown_columns: tuple[str, ...] = ()


def account_records(accounts: Path | None, ids: pl.DataFrame, context: Context) -> AccountTable:
    """One record an account of `ids` (account_key, account_id, organization_key; an account may stand there once a day).

    Without an accounts table every record says has_record = false. Raises InputError for a file that is missing or neither Parquet nor CSV, SchemaError for
    a column that cannot be cast or a table without account_id.
    """
    seen = _one_each(ids)
    if accounts is None:
        columns, misfits, unknown = _NO_TABLE
    else:
        columns, misfits, unknown = _read(accounts)
    columns = {name: without_placeholders(values) if name in _PLACED else values for name, values in columns.items()}
    joined = seen.join(_latest(columns), on="account_id", how="left").sort("account_key")
    records = _records(joined, columns, context)
    coverage = RecordCoverage(len(joined), {name: _covered(joined, columns, name) for name in ACCOUNT_COLUMNS})
    return AccountTable(records, coverage, misfits, unknown)


def _one_each(ids: pl.DataFrame) -> pl.DataFrame:
    """Each account once, with the organisation that it was most often logged with (ties: smallest key)."""
    known = ids.filter(pl.col("organization_key").is_not_null()).group_by("account_key", "organization_key").len()
    order = known.sort(["account_key", "len", "organization_key"], descending=[False, True, False]).unique("account_key", keep="first", maintain_order=True)
    return ids.group_by("account_key").agg(pl.col("account_id").min()).join(order.select("account_key", log_organization_key="organization_key"), on="account_key", how="left")


def _read(path: Path) -> tuple[dict[str, pa.Array], dict[str, int], tuple[str, ...]]:
    """The contract's columns of a Parquet or CSV file, the values that did not fit by column, and the columns that the contract does not know."""
    if not path.is_file():
        raise InputError(f"{path}: no such file. Check --accounts.")
    table, is_text = _open(path)
    if "account_id" not in table.column_names:
        raise SchemaError(path.name, "account_id", "string", "missing")
    columns: dict[str, pa.Array] = {}
    misfits: dict[str, int] = {}
    places = Counter(table.column_names)
    for name, column in ACCOUNT_COLUMNS.items():
        if places[name] > 1:
            raise SchemaError(path.name, name, f"one column of {column.type}", f"there {places[name]} times")
        if name in places:
            columns[name], number = _cast(path, name, table.column(name), column.type, is_text=is_text)
            misfits |= {name: number} if number else {}
    return columns, misfits, tuple(sorted(set(table.column_names) - set(ACCOUNT_COLUMNS)))


def _open(path: Path) -> tuple[pa.Table, bool]:
    """The table, and whether its values are text still to be read as their types."""
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            return pq.read_table(path), False
        header = pacsv.open_csv(path).schema.names
        options = pacsv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True)
        return pacsv.read_csv(path, convert_options=options, parse_options=pacsv.ParseOptions(newlines_in_values=True)), True
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError(f"{path}: readable neither as Parquet nor as CSV in UTF-8 ({str(error).splitlines()[0]}). Export it again.") from None


def _cast(path: Path, name: str, column: pa.ChunkedArray, wanted: pa.DataType, *, is_text: bool) -> tuple[pa.Array, int]:
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.nulls(0, values.type)
    if is_text:
        fitted, bad = _parsed(values, wanted)
        if bad is not None and bad.sum() == len(values) - values.null_count:
            raise SchemaError(path.name, name, str(wanted), "text that does not read as one")
    else:
        if not castable(values.type, wanted):
            raise SchemaError(path.name, name, str(wanted), str(values.type))
        fitted, bad = cast_values(values, wanted)
    fitted = fitted.dictionary_decode() if pt.is_dictionary(fitted.type) else fitted
    return _tidy(path, name, fitted), 0 if bad is None else int(bad.sum())


def _parsed(values: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.bool_]] | None]:
    """Text as a type; ISO times without a zone are UTC."""
    if pt.is_string(wanted):
        return values, None
    trimmed = pc.utf8_trim_whitespace(values)
    if pt.is_timestamp(wanted):
        zoned = pc.match_substring_regex(trimmed, r"([zZ]|[+-][0-9]{2}(:?[0-9]{2})?)$")
        zoned = pc.and_(zoned, pc.greater(pc.binary_length(trimmed), 10))
        trimmed = pc.if_else(zoned, trimmed, pc.binary_join_element_wise(trimmed, "Z", ""))
        dateless = pc.equal(pc.binary_length(trimmed), 11)
        trimmed = pc.if_else(dateless, pc.binary_join_element_wise(pc.utf8_slice_codeunits(trimmed, 0, 10), "00:00:00Z", "T"), trimmed)
    return cast_fitting(trimmed, wanted)


def _tidy(path: Path, name: str, values: pa.Array) -> pa.Array:
    """Text trimmed, empty text as null; domains in lower case and countries in upper case."""
    if not pt.is_string(values.type):
        return values
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        raise SchemaError(path.name, name, "string in UTF-8", "bytes that are no UTF-8") from None
    values = values if name == "account_id" else pc.utf8_trim_whitespace(values)
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return pc.utf8_lower(values) if name == "email_domain" else pc.utf8_upper(values) if name.endswith("_country") else values


def _latest(columns: Mapping[str, pa.Array]) -> pl.DataFrame:
    """account_id and the row number of its latest snapshot."""
    rows = pl.DataFrame({"account_id": pl.Series(columns["account_id"].to_pylist(), dtype=pl.String)}).with_row_index("row")
    as_of = columns.get("as_of")
    rows = rows.with_columns(pl.Series("as_of", [-1] * len(rows) if as_of is None else as_of.view(pa.int32()).fill_null(-(2**31)).to_pylist(), dtype=pl.Int64))
    return rows.filter(pl.col("account_id").is_not_null()).sort("as_of", "row").unique("account_id", keep="last").select("account_id", pl.col("row").cast(pl.Int64))


def _records(joined: pl.DataFrame, columns: Mapping[str, pa.Array], context: Context) -> pl.DataFrame:
    at = pa.array(joined["row"].to_list(), pa.int64())
    count = len(joined)

    def taken(name: str) -> pa.Array:
        return columns[name].take(at) if name in columns else pa.nulls(count, ACCOUNT_COLUMNS[name].type)

    made = {name: _keys(taken(source), namespace) for name, (source, namespace) in _KEYS.items()}
    made["organization_key"] = pc.coalesce(made["organization_key"], pa.array(joined["log_organization_key"].to_list(), pa.int64()))
    made |= {name: taken(name) for name in _LABELS}
    ip, prefix = address_keys(taken("signup_ip"), taken("signup_ip_hash"), count)
    made |= {"account_key": pa.array(joined["account_key"].to_list(), pa.int64()), "account_id": pa.array(joined["account_id"].to_list(), pa.string()), "has_record": at.is_valid(),
             "created_us": taken("created_at").view(pa.int64()), "status_changed_us": taken("status_changed_at").view(pa.int64()), "signup_ip_key": ip,
             "signup_prefix_key": pc.coalesce(prefix_keys(taken("signup_ip_prefix"), count), prefix), "signup_asn": taken("signup_asn").cast(pa.int64()),
             "signup_country": taken("signup_country"), "email_domain_key": _keys(taken("email_domain"), "email_domain")}  # fmt: skip
    made["is_vouched"] = _vouched(made, context)
    frame = pl.DataFrame(pl.from_arrow(pa.table({column.name: made[column.name] for column in ACCOUNT_RECORDS.columns})))
    return frame.cast({column.name: _TYPES[column.type] for column in ACCOUNT_RECORDS.columns})


def _keys(values: pa.Array, namespace: str) -> pa.Array:
    return pa.array(fp.value_keys(fp.spans_of(values), namespace), mask=np.asarray(values.is_null()))


def _vouched(made: Mapping[str, pa.Array], context: Context) -> pa.Array:
    """Something outside the log vouches for the organisation."""
    listed = fp.value_keys(fp.spans_of(pa.array(sorted(context.vouched_organizations), pa.string())), "organization")
    signs = (
        pc.is_in(made["access_pathway"], value_set=pa.array(_VOUCHED_PATHWAYS)),
        pc.equal(made["verification_level"], "kyb"),
        pc.is_in(made["organization_key"], value_set=pa.array(listed, pa.int64())),
    )
    return pc.or_(pc.or_(*(pc.fill_null(sign, False) for sign in signs[:2])), pc.and_(pc.fill_null(signs[2], False), made["organization_key"].is_valid()))


def _covered(joined: pl.DataFrame, columns: Mapping[str, pa.Array], name: str) -> int:
    """Accounts of the log that have a value in a column of the accounts table."""
    if name not in columns:
        return 0
    rows = joined["row"].drop_nulls().to_list()
    return int(len(rows) - columns[name].take(pa.array(rows, pa.int64())).null_count)
