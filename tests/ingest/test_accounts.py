"""Account records: snapshots, placeholders, vouching, casting, errors."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pyarrow as pa
import pytest

from pipeline.errors import InputError, SchemaError
from pipeline.ingest import Context, account_records
from pipeline.ingest.placeholders import is_placeholder
from pipeline.measures import fingerprints as fp
from pipeline.schema import ACCOUNT_RECORDS


def key(text, namespace):
    return int(fp.value_keys(fp.spans_of(pa.array([text])), namespace)[0])


def ids(*accounts, organizations=None):
    found = organizations or [None] * len(accounts)
    return pl.DataFrame(
        {
            "account_key": [key(one, "account") for one in accounts],
            "account_id": list(accounts),
            "organization_key": [one if one is None else key(one, "organization") for one in found],
        },
        schema={"account_key": pl.Int64, "account_id": pl.String, "organization_key": pl.Int64},
    )


def records(path, seen, context=None):
    table = account_records(path, seen, context or Context())
    return {row["account_id"]: row for row in table.records.iter_rows(named=True)}, table


def test_without_a_table_every_account_is_without_a_record():
    found, table = records(None, ids("a", "b", "a", organizations=["o", None, "o"]))
    assert [row["has_record"] for row in found.values()] == [False, False]
    assert found["a"]["organization_key"] == key("o", "organization")
    assert found["b"]["organization_key"] is None
    assert not any(row["is_vouched"] for row in found.values())
    assert table.records.columns == list(ACCOUNT_RECORDS.column_names)
    assert table.records["account_key"].is_sorted()
    assert table.coverage.accounts == 2
    assert set(table.coverage.counts.values()) == {0}


def test_no_account_gives_no_record(accounts_file):
    assert len(account_records(accounts_file(account_id=["a"]), ids(), Context()).records) == 0


def test_a_record_is_joined_by_account_id(accounts_file):
    path = accounts_file(
        account_id=["a", "unseen"],
        payment_fingerprint=["card9", "card8"],
        signup_ip=["192.0.2.7", None],
        email_domain=[" Example.COM", None],
        signup_country=["de", None],
        created_at=[datetime(2026, 1, 2, tzinfo=UTC), None],
        signup_asn=[64500, None],
        plan=["pro", None],
        status=["active", None],
    )
    found, table = records(path, ids("a", "b"))
    row = found["a"]
    assert set(found) == {"a", "b"}
    assert row["payment_key"] == key("card9", "payment")
    assert (row["signup_ip_key"], row["signup_prefix_key"]) == (key("192.0.2.7", "ip"), key("192.0.2.0/24", "ip_prefix"))
    assert row["email_domain_key"] == key("example.com", "email_domain")
    assert (row["created_us"], row["signup_asn"], row["signup_country"], row["plan"]) == (1_767_312_000_000_000, 64500, "DE", "pro")
    assert (found["b"]["has_record"], found["b"]["payment_key"]) == (False, None)
    assert (table.coverage.counts["payment_fingerprint"], table.coverage.accounts) == (1, 2)


def test_the_latest_snapshot_counts(accounts_file):
    path = accounts_file(
        account_id=["a", "a", "a", "b", "b"], as_of=[date(2026, 1, 1), date(2026, 3, 1), date(2026, 2, 1), None, None], status=["active", "banned", "closed", "active", "banned"]
    )
    found, _ = records(path, ids("a", "b"))
    assert (found["a"]["status"], found["b"]["status"]) == ("banned", "banned")


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "none",
        "NULL",
        "n/a",
        "Unknown",
        "test",
        "0",
        "0000",
        "xxxxxx",
        "00-00-00",
        "pay_unknown",
        "dev-0000",
        "card:none",
        "1234567890",
        "----",
        "undefined",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "d41d8cd98f00b204e9800998ecf8427e",
        "pm_test",
    ],
)
def test_placeholders_link_nobody(accounts_file, value):
    assert is_placeholder(value)
    columns = {
        name: [value, value]
        for name in (
            "payment_fingerprint",
            "device_fingerprint",
            "email_hash",
            "phone_hash",
            "referral_code",
            "email_domain",
            "signup_ip_hash",
            "reseller_id",
            "email_local_shape",
            "organization_id",
        )
    }
    found, table = records(accounts_file(account_id=["a", "b"], **columns), ids("a", "b"))
    linking = ("payment_key", "device_key", "email_key", "phone_key", "referral_key", "email_domain_key", "signup_ip_key", "reseller_key", "email_shape_key", "organization_key")
    assert [found[account][name] for account in "ab" for name in linking] == [None] * 20
    assert table.coverage.counts["payment_fingerprint"] == 0


@pytest.mark.parametrize(
    "value", ["pay_536ac27398513324294ec796", "gmail.com", "a1b2", "testing-grounds.example", "nonesuch.example", "dev_0ac5578a60495620", "4f9d", "a{6}9{4}", "WELCOME10"]
)
def test_real_values_are_no_placeholders(value):
    assert not is_placeholder(value)


def test_vouching_comes_from_outside_the_log(accounts_file):
    path = accounts_file(
        account_id=list("abcde"),
        access_pathway=["enterprise", "reseller", "self_serve", "self_serve", None],
        verification_level=[None, None, "kyb", "kyc", None],
        organization_id=["o1", "o2", "o3", "o4", "o5"],
    )
    context = Context(vouched_organizations=frozenset({"o5", "o6"}))
    found, _ = records(path, ids("a", "b", "c", "d", "e", "f", "g", organizations=[None] * 5 + ["o6", "o7"]), context)
    assert {name: row["is_vouched"] for name, row in found.items()} == {"a": True, "b": True, "c": True, "d": False, "e": True, "f": True, "g": False}


def test_a_csv_table_reads_like_a_parquet_one(accounts_file, tmp_path):
    parquet = accounts_file(
        account_id=["a", "007"],
        created_at=[datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)],
        signup_asn=[64500, None],
        as_of=[date(2026, 2, 1), None],
        email_domain=["x.example", None],
        credits_usd=[1.5, None],
    )
    text = tmp_path / "accounts.csv"
    text.write_text("account_id,created_at,signup_asn,as_of,email_domain,credits_usd,extra\na,2026-01-02T04:00:00+01:00,64500,2026-02-01,x.example,1.5,z\n007,2026-01-02,,,,,\n")
    one, other = account_records(parquet, ids("a", "007"), Context()), account_records(text, ids("a", "007"), Context())
    assert one.records.equals(other.records)
    assert one.coverage == other.coverage
    assert other.unknown_columns == ("extra",)


def test_csv_text_is_not_guessed_at(tmp_path):
    text = tmp_path / "accounts.csv"
    text.write_text('account_id,payment_fingerprint,referral_code\n0012,00a0,"multi\nline"\n')
    found, _ = records(text, ids("0012"))
    assert found["0012"]["payment_key"] == key("00a0", "payment")
    assert found["0012"]["referral_key"] == key("multi\nline", "referral")


def test_a_value_that_does_not_fit_is_null_and_counted(tmp_path, accounts_file):
    text = tmp_path / "accounts.csv"
    text.write_text("account_id,signup_asn,created_at\na,64500,2026-01-01\nb,lots,soon\nc,-1,2026-01-01 10:00:00\n")
    found, table = records(text, ids("a", "b", "c"))
    assert [found[name]["signup_asn"] for name in "abc"] == [64500, None, None]
    assert found["c"]["created_us"] == 1_767_261_600_000_000
    assert table.misfits == {"signup_asn": 2, "created_at": 1}
    _, wide = records(accounts_file(account_id=["a", "b"], signup_asn=pa.array([2.0**40, 5.0])), ids("a", "b"))
    assert wide.misfits == {"signup_asn": 1}


@pytest.mark.parametrize(
    ("column", "values"), [("created_at", pa.array(["2026-01-01"])), ("signup_asn", pa.array(["5"])), ("plan", pa.array([["x"]])), ("payment_fingerprint", pa.array([{"a": 1}]))]
)
def test_a_column_that_cannot_be_cast_is_refused(accounts_file, column, values):
    with pytest.raises(SchemaError) as error:
        account_records(accounts_file(account_id=["a"], **{column: values}), ids("a"), Context())
    assert (error.value.file, error.value.column, error.value.exit_code) == ("accounts.parquet", column, 6)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"created_at\n2026-01-01\n", "account_id"),
        ("a.csv", b"account_id,signup_asn\na,x\n", "signup_asn"),
        ("a.csv", b"account_id\n\xff\xfe\n", "UTF-8"),
        ("a.parquet", b"PAR1 broken", "neither"),
        ("a.csv", b"", "neither"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        account_records(tmp_path / name, ids("a"), Context())


def test_a_table_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        account_records(tmp_path / "nowhere.parquet", ids("a"), Context())


@pytest.mark.parametrize("column", ["account_id", "status"])
def test_a_column_that_is_there_twice_is_named(tmp_path, column):
    path = tmp_path / "accounts.csv"
    path.write_text(f"account_id,status,{column}\na,active,b\n")
    with pytest.raises(SchemaError, match=f"accounts.csv: column '{column}' is there 2 times") as error:
        account_records(path, ids("a"), Context())
    assert error.value.exit_code == 6
