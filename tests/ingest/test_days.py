"""Day tables: duplicates, samples, order and split of files, memory, damage found late."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.ingest import Context, list_logs, repeats_across_days
from pipeline.ingest.context import read_context
from pipeline.measures import fingerprints as fp
from tests.ingest.scanning import scan_logs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = ("source_file", "source_row")
TABLES = ("requests", "prompt_samples", "labels", "account_ids")


def test_of_two_rows_with_one_id_the_latest_stays(log, scan):
    log("a.parquet", rows=3, request_id=["x", "x", "y"], timestamp=[NOON, NOON + timedelta(hours=1), NOON], account_id=["early", "late", "other"])
    result = scan()
    assert result.requests.sort("request_id").select("request_id", "source_row").rows() == [("x", 1), ("y", 2)]
    assert result.rejects.rows() == [("a.parquet", 0, "duplicate")]
    assert result.report.days[0].duplicates_resolved == 1
    assert result.table("account_ids")["account_id"].sort().to_list() == ["late", "other"]


def test_ties_of_duplicates_go_to_the_later_file_then_the_later_row(log, scan):
    log("a.parquet", rows=2, request_id="x")
    log("b.parquet", rows=3, request_id="x")
    result = scan()
    assert result.requests.select(PLACE).rows() == [("b.parquet", 2)]
    assert result.report.days[0].rejected == {"duplicate": 4}


def test_ids_are_apart_by_source_system_and_by_day(log, scan):
    log("a.parquet", rows=4, request_id="x", source_system=["otel", "litellm", None, "otel"], timestamp=[NOON, NOON, NOON, NOON + timedelta(days=1)])
    assert len(scan().requests) == 4


def test_a_row_belongs_to_the_utc_day_of_its_time(log, scan):
    edge = datetime(2026, 3, 2, tzinfo=UTC)
    log("a.parquet", rows=2, timestamp=[edge - timedelta(microseconds=1), edge])
    assert [(day.day, day.rows_kept) for day in scan().report.days] == [(date(2026, 3, 1), 1), (date(2026, 3, 2), 1)]


def test_ids_seen_again_on_another_day_are_counted(log, scan):
    day = timedelta(days=1)
    log(
        "a.parquet",
        rows=6,
        request_id=["x", "x", "x", "y", "y", "z"],
        source_system=["s", "s", "s", "s", None, "s"],
        timestamp=[NOON, NOON + day, NOON + 2 * day, NOON, NOON + day, NOON],
    )
    result = scan()
    days = sorted(result.out.glob("date=*/requests.parquet"))
    assert repeats_across_days(days) == repeats_across_days(days[::-1]) == 2
    assert repeats_across_days([]) == 0


def test_only_the_days_asked_for_are_written(log, scan):
    log("a.parquet", rows=3, timestamp=[NOON + timedelta(days=day) for day in range(3)], account_id=["a", "b", ""])
    result = scan(days=frozenset({date(2026, 3, 2), date(2026, 5, 1)}))
    assert [day.day for day in result.report.days] == [date(2026, 3, 2)]
    assert result.report.rows_read == 1
    assert sorted(path.name for path in result.out.iterdir()) == ["date=2026-03-02"]


def test_day_json_holds_the_counts(log, scan):
    log("a.parquet", rows=4, request_id=["x", "x", "y", "z"], account_id=["a", "a", "b", None], user_agent=["curl/8", "curl/8", None, "curl/8"])
    result = scan()
    written = json.loads((result.out / "date=2026-03-01" / "day.json").read_text())
    assert written == result.report.days[0].as_dict()
    assert (written["rows_read"], written["rows_kept"], written["duplicates_resolved"], written["account_count"]) == (4, 2, 1, 2)
    assert written["rejected"] == {"null_required": 1, "duplicate": 1}
    assert (written["non_null"]["user_agent"], written["accounts_with"]["user_agent"], written["non_null"]["account_id"], written["non_null"]["ja4"]) == (1, 1, 2, 0)


def prompts_of_an_account(log, count):
    log(
        "a.parquet",
        rows=2 * count,
        prompt=[f"prompt word{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10]} with four more" for n in range(count)] * 2,
        output_tokens=list(range(2 * count)),
        timestamp=[NOON + timedelta(seconds=n) for n in range(2 * count)],
        message_count=[1] * count + [5] * count,
    )


def test_samples_are_the_smallest_keys_with_their_sums(log, scan):
    prompts_of_an_account(log, 40)
    result = scan()
    rows = result.requests.sort("ts_us")
    expected = sorted(rows["prompt_key"].unique().to_list())[:16]
    assert result.samples["prompt_key"].to_list() == expected
    for sample in result.samples.iter_rows(named=True):
        own = rows.filter(pl.col("prompt_key") == sample["prompt_key"])
        assert (sample["request_count"], sample["output_tokens"], sample["max_message_count"]) == (2, own["output_tokens"].sum(), 5)
        assert (sample["first_us"], sample["request_id"], sample["source_row"]) == own.select("ts_us", "request_id", "source_row").row(0)
        assert (sample["skeleton_key"], sample["prompt_chars"], sample["prompt_words"]) == own.select("skeleton_key", "prompt_chars", "prompt_words").row(0)
        assert sample["shingle_count"] == len(sample["shingles"]) == 2
        assert len(sample["tokens"]) == 5


def test_a_prompt_that_a_losing_duplicate_had_crowded_out_is_sampled(log, scan):
    count = 40
    texts = [f"prompt word{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10]} with four more" for n in range(count)]
    keys = fp.texts(fp.spans_of(pa.array(texts)), "prompt").exact
    order = sorted(range(count), key=lambda n: keys[n])
    losing = [texts[n] for n in order[:5]]
    ids = [f"r{n}" for n in range(count)]
    log("a.parquet", rows=count, prompt=texts, request_id=ids)
    log("b.parquet", rows=5, prompt=["something else entirely here"] * 5, request_id=[ids[n] for n in order[:5]], timestamp=NOON + timedelta(hours=1))
    result = scan()
    assert len(losing) == result.report.days[0].duplicates_resolved == 5
    assert len(result.samples) == 16
    assert result.samples["prompt_key"].to_list() == sorted(result.requests["prompt_key"].unique().to_list())[:16]
    assert result.samples["shingles"].list.len().min() >= 1


def test_a_prompt_that_only_a_fingerprint_stands_for_is_sampled_without_a_sketch(log, scan):
    log("a.parquet", rows=2, prompt_hash=["h1", "h2"])
    assert scan().samples.select("shingle_count", pl.col("shingles").list.len()).rows() == [(0, 0), (0, 0)]


def test_labels_name_what_is_no_identifier(log, scan):
    log("a.parquet", rows=3, user_agent=["curl/8.1 (x)", "curl/8.1 (x)", "(odd)"], ja4=["t13", None, "t" * 300], client_ip="192.0.2.1", prompt="secret words")
    result = scan()
    assert result.table("labels").select("kind", "label").sort("kind", "label").rows() == [
        ("agent", "(odd)"),
        ("agent", "curl/8.1 (x)"),
        ("agent_product", "curl"),
        ("ja4", "t13"),
        ("ja4", "t" * 200),
    ]
    used = set(result.requests["agent_key"].drop_nulls()) | set(result.requests["ja4_key"].drop_nulls()) | set(result.requests["agent_product_key"].drop_nulls())
    assert set(result.table("labels")["value_key"]) == used


def test_an_account_has_its_most_frequent_organisation(log, scan):
    log("a.parquet", rows=6, account_id=["a", "a", "a", "b", "c", "c"], organization_id=["o1", "o2", "o2", None, "o2", "o1"])
    result = scan()
    key = dict(zip(["o1", "o2"], fp.value_keys(fp.spans_of(pa.array(["o1", "o2"])), "organization").tolist(), strict=True))
    found = dict(result.table("account_ids").select("account_id", "organization_key").iter_rows())
    assert found == {"a": key["o2"], "b": None, "c": min(key.values())}


def test_a_known_clients_preamble_is_cut_and_counted(log, scan, tmp_path):
    folder = tmp_path / "context"
    folder.mkdir()
    import hashlib

    secret = "You are Tool\u00e9. Obey.\n"
    (folder / "preambles.toml").write_text(
        '[[preamble]]\nproduct = "open"\ntext = "You are Helper.\\n"\n[[preamble]]\nproduct = "closed"\n'
        f'sha256 = "{hashlib.sha256(secret.encode()).hexdigest()}"\nbyte_length = {len(secret.encode())}\n'
    )
    log("a.parquet", rows=5, prompt=["You are Helper.\nDo this thing", "do THIS  thing", secret + "Do this thing", "You are Helper!\nDo this thing", "You are Helper.\n"])
    result = scan(context=read_context(folder))
    rows = result.requests.sort("source_row")
    assert len(set(rows["prompt_key"][:3])) == 1
    assert rows["prompt_key"][3] != rows["prompt_key"][0]
    assert rows["prompt_chars"][:3].to_list() == [13, 14, 13]
    assert rows["prompt_key"][4] is None
    assert result.report.days[0].preambles_cut == {"closed": 1, "open": 2}


ROW = st.fixed_dictionaries(
    {
        "request_id": st.sampled_from([f"r{n}" for n in range(12)]),
        "minute": st.integers(0, 3 * 1440),
        "account_id": st.sampled_from(["a", "b", "c", None]),
        "prompt": st.sampled_from(["same words again", "Same  words again", "item 4 of 7", "item 5 of 9", "", None, "\u4f60\u597d"]),
        "tokens": st.sampled_from([1, 5, -1, None]),
        "agent": st.sampled_from(["curl/8", "node/1 (x)", None]),
        "organization_id": st.sampled_from(["o", "p", None]),
    }
)


def write(folder, parts):
    for place, rows in enumerate(parts):
        columns = {name: [row[name] for row in rows] for name in ("request_id", "account_id", "prompt", "organization_id")}
        times = pa.array([NOON + timedelta(minutes=row["minute"]) for row in rows], pa.timestamp("us", tz="UTC"))
        folder.mkdir(parents=True, exist_ok=True)
        table = pa.table(
            {
                "timestamp": times,
                "model": ["m"] * len(rows),
                "input_tokens": pa.array([row["tokens"] for row in rows], pa.int64()),
                "user_agent": pa.array([row["agent"] for row in rows], pa.string()),
                **{name: pa.array(values, pa.string()) for name, values in columns.items()},
            }
        )
        pq.write_table(table, folder / f"{place:03}.parquet", row_group_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, min_size=1, max_size=25, unique_by=lambda row: (row["request_id"], row["minute"])),
    cuts=st.lists(st.integers(0, 25), max_size=4),
    seed=st.randoms(use_true_random=False),
)
def test_tables_are_equal_for_any_order_and_split_of_the_rows(tmp_path_factory, rows, cuts, seed):
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    write(one / "logs", [rows])
    shuffled = rows[:]
    seed.shuffle(shuffled)
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    write(other / "logs", [part for left, right in itertools.pairwise(bounds) if (part := shuffled[left:right])])
    left, right = scan_logs(one / "out", [one / "logs"]), scan_logs(other / "out", [other / "logs"], memory_bytes=1, threads=2)
    if left.report.days:
        for name in TABLES:
            assert left.table(name).drop(PLACE, strict=False).equals(right.table(name).drop(PLACE, strict=False)), name
        assert Counter(left.rejects["reason"]) == Counter(right.rejects["reason"])
    assert [day.as_dict() for day in left.report.days] == [day.as_dict() for day in right.report.days]


@pytest.mark.parametrize("memory_bytes", [1 << 30, 1])
def test_requests_carry_the_time_since_their_accounts_previous_one(log, scan, memory_bytes):
    minutes = [0, 5, 5, 9, 1440, 1441, 3, 30, 8, None]
    log(
        "a.parquet",
        rows=10,
        request_id=["b", "d", "c", "e", "f", "g", "h", "h", "i", "j"],
        account_id=["a"] * 6 + ["z", "z", "y", "a"],
        timestamp=[None if minute is None else NOON + timedelta(minutes=minute) for minute in minutes],
    )
    found = {row["request_id"]: row["gap_us"] for row in scan(memory_bytes=memory_bytes).requests.iter_rows(named=True)}
    minute = 60_000_000
    assert found == {"b": None, "c": 5 * minute, "d": 0, "e": 4 * minute, "f": None, "g": minute, "h": None, "i": None}


@pytest.mark.parametrize("threads", [1, 4])
def test_a_large_day_in_small_ranges_and_spilled_is_the_same_day(log, scan, threads):
    for part in range(5):
        rows = 12_000
        log(
            f"{part}.parquet",
            rows=rows,
            metadata={"row_group_size": 5_000},
            request_id=[f"r{(part * rows + n) % 55_000}" for n in range(rows)],
            account_id=[f"a{n * 7 % 997}" for n in range(rows)],
            prompt=[f"word{n % 13} and other words {'xyz'[n % 3] * (n % 17)}" for n in range(rows)],
            timestamp=[NOON + timedelta(milliseconds=n * 31 % 5000) for n in range(rows)],
        )
    small, large = scan(memory_bytes=1, threads=threads), scan(memory_bytes=8 << 30)
    assert len(large.requests) == 55_000
    for name in (*TABLES, "rejects"):
        assert small.table(name).equals(large.table(name)), name
    assert large.requests.select(pl.col("ts_us").diff().over("account_key"))["ts_us"].equals(large.requests["gap_us"])
    assert [day.as_dict() for day in small.report.days] == [day.as_dict() for day in large.report.days]
    assert not list(small.out.glob(".*"))


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_do_not_change_a_byte(log, scan, threads):
    for part in range(4):
        log(
            f"{part}.parquet",
            rows=300,
            request_id=[f"{part}-{n}" for n in range(300)],
            prompt=[f"p {part} {n}" for n in range(300)],
            timestamp=[NOON + timedelta(hours=n % 60) for n in range(300)],
        )
    one, several = scan(), scan(threads=threads)
    files = sorted(path.relative_to(one.out) for path in one.out.rglob("*") if path.is_file())
    assert len(files) == 3 * 6
    assert files == sorted(path.relative_to(several.out) for path in several.out.rglob("*") if path.is_file())
    assert all((one.out / name).read_bytes() == (several.out / name).read_bytes() for name in files)


def test_days_are_written_as_soon_as_no_later_file_can_hold_their_rows(log, tmp_path):
    from pipeline.config import load_config
    from pipeline.ingest import ingest_days

    for day in range(3):
        log(f"{day}.parquet", rows=70_000, request_id=[f"{n}" for n in range(70_000)], timestamp=NOON + timedelta(days=day))
    seen = []
    ingest_days(
        list_logs([str(tmp_path / "logs")], on_bad_file="fail").files,
        None,
        tmp_path / "out",
        Context(),
        load_config().ingest,
        threads=1,
        memory_bytes=1 << 30,
        progress=lambda *_: seen.append(len(list((tmp_path / "out").glob("date=*/day.json")))),
    )
    assert seen == [0, 1, 2]


def test_a_footer_that_lies_about_its_times_is_an_error(log, tmp_path):
    import dataclasses

    from pipeline.config import load_config
    from pipeline.ingest import ingest_days

    for day in range(2):
        log(f"{day}.parquet", rows=70_000, request_id=[f"{n}" for n in range(70_000)], timestamp=NOON)
    files = list(list_logs([str(tmp_path / "logs")], on_bad_file="fail").files)
    later = files[1].first_us + 86_400_000_000
    files[1] = dataclasses.replace(files[1], first_us=later, last_us=later, groups=tuple(dataclasses.replace(group, first_us=later) for group in files[1].groups))
    with pytest.raises(InputError, match="2026-03-01"):
        ingest_days(files, None, tmp_path / "out", Context(), load_config().ingest, threads=1, memory_bytes=1 << 30)


def test_a_damaged_page_names_its_file(log, scan):
    path = log("bad.parquet", rows=2000, prompt=[f"text {n * 7919}" for n in range(2000)])
    content = bytearray(path.read_bytes())
    content[200:4000] = b"\xa5" * 3800
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.parquet"):
        scan()


def test_no_row_gives_an_empty_report(log, scan):
    log("a.parquet", rows=0, request_id=[], timestamp=pa.array([], pa.timestamp("us", tz="UTC")), account_id=[], model=[])
    report = scan().report
    assert (report.days, report.undated, report.rows_read) == ((), {}, 0)
