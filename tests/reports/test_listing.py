"""The list of entitlements as JSON, packed with a manifest, and by the command; who sees whom in it; attacks on it."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from click.testing import Result
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from paywall.domain.entitlements import Reason
from paywall.reports import export, listing_command, people
from paywall.storage import entitlements, service_keys
from paywall.storage.addresses import FormerAddress
from paywall.storage.database import db, new_id
from tests.support.builders import NOW, make_entitlement, make_reader, make_subscription, make_terms, save
from tests.support.colleagues import colleague
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

LIST, JSON = "/admin/entitlements", "/v1/reports/entitlements"


@pytest.fixture
def row(app: OpenAPI):
    """A paid year of somebody whom Stripe knows by names that must not leak."""
    reader = make_reader("ann@example.org", customer_id="cus_secret")
    first, second = make_subscription(reader, id="sub_older"), make_subscription(reader, id="sub_secret")
    second.duplicate_of = first.id
    found = make_entitlement(reader, source_id="sub_secret")
    save()
    return found


def _command(app: OpenAPI, *args: object) -> Result:
    return app.test_cli_runner().invoke(args=["paywall", "reports", "entitlements", *map(str, args)])


SECRETS = ("ann@example.org", "cus_secret", "sub_secret", "sub_older")


def test_json_says_a_row_by_the_names_of_the_csv(app: OpenAPI, row) -> None:
    told = colleague(app, "support").get(f"{JSON}?state=active").json
    (found,) = told["rows"]
    days = {"first_day", "last_day", "created_day", "as_of"}  # the asker's calendar makes them of the moments
    assert found.keys() == set(export.COLUMNS) - days
    assert (found["entitlement_id"], found["address"], found["state"]) == (row.id, "ann@example.org", "active")
    assert found["starts_at"] == row.starts_at.isoformat()
    assert (told["total"], told["before"], told["after"], told["sort"]) == (1, None, None, "-created")


def test_json_leads_through_all_pages_by_its_cursor(app: OpenAPI) -> None:
    reader = make_reader()
    save(*(make_entitlement(reader, created_at=NOW + timedelta(hours=hour % 7)) for hour in range(120)))
    client, seen, place = colleague(app), [], ""
    for number in (50, 50, 20):
        told = client.get(JSON, query_string={"sort": "created", "after": place}).json
        assert (len(told["rows"]), told["total"]) == (number, 120)
        seen += [one["entitlement_id"] for one in told["rows"]]
        place = told["after"]
    assert (place, len(set(seen))) == (None, 120)


@pytest.mark.parametrize("query", ["after=x", "state=x", "nonsense=1", "from=2026-02-02&to=2026-02-01", "who=%00"])
def test_json_names_what_is_wrong(app: OpenAPI, query: str) -> None:
    answer = colleague(app).get(f"{JSON}?{query}")
    assert answer.status_code == 400
    assert answer.content_type.startswith("application/problem+json")
    assert "rows" not in answer.json


@pytest.mark.parametrize("address", [LIST, JSON, f"{LIST}.csv"])
def test_an_analyst_sees_rows_and_nobody(app: OpenAPI, row, address: str) -> None:
    """Opaque ids of ours, dates and states; no address, and no id by which Stripe could be asked."""
    client = colleague(app, "analyst")
    answer = client.get(address)
    assert answer.status_code == 200
    assert row.reader_id in answer.text
    assert not [one for one in SECRETS if one in answer.text]
    told = client.get(f"{address}?who={row.reader_id}")
    assert row.reader_id in told.text


@pytest.mark.parametrize("who", ["ann@example.org", "ann", "cus_secret", "sub_secret", "in_1", "nobody@example.org"])
@pytest.mark.parametrize("address", [LIST, JSON, f"{LIST}.csv", f"{LIST}.zip"])
def test_an_analyst_cannot_ask_whose_an_address_is(app: OpenAPI, row, who: str, address: str) -> None:
    """The answer is the same whether anybody has it."""
    answer = colleague(app, "analyst").get(f"{address}?who={who}")
    assert answer.status_code == 400
    assert "Your role sees no addresses" in answer.text
    assert row.reader_id not in answer.text


def test_a_program_gets_rows_without_identities(app: OpenAPI, client: FlaskClient, row) -> None:
    _, key = service_keys.add("figures", NOW, scope="reports")
    db.session.commit()
    answer = client.get(JSON, headers={"Authorization": f"Bearer {key}"})
    assert answer.json["rows"][0]["reader_id"] == row.reader_id
    assert not [one for one in SECRETS if one in answer.text]


def test_a_program_gets_no_more_where_an_admin_is_signed_in(app: OpenAPI, row) -> None:
    _, key = service_keys.add("figures", NOW, scope="reports")
    admin = colleague(app, "admin")
    answer = admin.get(JSON, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    assert not [one for one in SECRETS if one in answer.text]


@pytest.mark.parametrize("address", [LIST, JSON, f"{LIST}.csv", f"{LIST}.zip"])
def test_a_reader_gets_none_of_it(app: OpenAPI, client: FlaskClient, row, address: str) -> None:
    assert client.get(address).status_code in (303, 401)


def test_the_pack_holds_the_file_and_what_it_must_be(app: OpenAPI, row) -> None:
    save(*(make_entitlement() for _ in range(30)))
    answer = colleague(app).get(f"{LIST}.zip?state=active")
    assert answer.is_streamed
    pack = zipfile.ZipFile(io.BytesIO(answer.data))
    name = "entitlements-2026-11-22.csv"
    assert pack.namelist() == [name, "manifest.json"]
    data, told = pack.read(name), json.loads(pack.read("manifest.json"))
    assert told["sha256"] == hashlib.sha256(data).hexdigest()
    assert (told["file"], told["bytes"], told["columns"]) == (name, len(data), list(export.COLUMNS))
    assert told["asked"] == {"state": "active"}
    assert told["rows"] == len(list(csv.reader(io.StringIO(data.decode(), newline="")))) - 1 == 31


def test_the_command_writes_the_file_its_manifest_and_how_far_it_is(app: OpenAPI, row, tmp_path) -> None:
    file = tmp_path / "all.csv"
    result = _command(app, "--source", "subscription", "--csv", file)
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "all.csv.manifest.json").read_text())
    assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (told["rows"], told["asked"]) == (1, {"source": "subscription"})
    assert "1 rows written" in result.stdout
    assert "Rows" in result.stderr


def test_a_file_that_broke_off_has_no_manifest(app: OpenAPI, row, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the one of an older file."""

    def broken(*_args: object, **_more: object):
        yield b"entitlement_id"
        raise OSError(28, "No space left on device")

    (tmp_path / "all.csv.manifest.json").write_text("{}")
    monkeypatch.setattr(listing_command.export, "stream", broken)
    result = _command(app, "--csv", tmp_path / "all.csv")
    assert result.exit_code == 1
    assert "No space left on device. Choose another file." in result.output
    assert [one.name for one in tmp_path.iterdir() if "manifest" in one.name] == []


def test_the_command_prints_a_page(app: OpenAPI, row) -> None:
    told = json.loads(_command(app).stdout)
    assert told["rows"][0]["address"] == "ann@example.org"


def test_the_command_names_faults_by_option(app: OpenAPI) -> None:
    refused = _command(app, "--as-of", "2099-01-01")
    assert (refused.exit_code, "--as-of: Has not come yet." in refused.output) == (2, True)


def test_who_had_an_address_before_is_found_by_it(app: OpenAPI, row) -> None:
    former = {"email": "Old@example.org", "email_normalised": "old@example.org", "until": NOW}
    save(FormerAddress(id=new_id("adr"), reader_id=row.reader_id, **former))
    assert colleague(app).get(f"{JSON}?who=old@").json["total"] == 1


def test_an_address_that_begins_too_many_is_refused(app: OpenAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST", 2)
    save(*(make_entitlement(make_reader(f"many{index}@example.org")) for index in range(3)))
    answer = colleague(app).get(f"{LIST}?who=many")
    assert answer.status_code == 400
    assert "More than 2 readers have an address that begins so. Give more of it." in answer.text
    assert colleague(app).get(f"{JSON}?who=many1").json["total"] == 1


@pytest.mark.parametrize("name", ["rdr_000000000000000000000000", "ent_000000000000000000000000", "sub_0", "cus_0"])
def test_an_id_that_is_nobodys_is_answered_like_one_without_rows(app: OpenAPI, row, name: str) -> None:
    """So ids cannot be told apart by trying."""
    bare = make_reader()
    save()
    client = colleague(app)
    told = [client.get(f"{JSON}?who={one}").json for one in (name, bare.id)]
    assert [(one["rows"], one["total"]) for one in told] == [([], 0)] * 2


@pytest.mark.parametrize("address", [LIST, JSON, f"{LIST}.csv"])
def test_the_widest_days_are_answered(app: OpenAPI, row, address: str) -> None:
    answer = colleague(app).get(f"{address}?date=ends&from=2000-01-01&to=2099-12-31")
    assert answer.status_code == 200
    assert row.id in answer.text or row.reader_id in answer.text


@pytest.mark.parametrize("first", "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
def test_no_text_of_a_row_is_a_formula_in_the_pack(app: OpenAPI, first: str) -> None:
    text = f"{first}cmd|' /C calc'!A0"
    lapse = {"lapse": text, "until": NOW, "paid_until": NOW}
    make_entitlement(make_reader(text, customer_id=text), source_id=text, plan=text, source="gift", **lapse)
    save()
    pack = zipfile.ZipFile(io.BytesIO(colleague(app).get(f"{LIST}.zip").data))
    (found,) = csv.DictReader(io.StringIO(pack.read(pack.namelist()[0]).decode(), newline=""))
    assert [found[name] for name in ("address", "customer_id", "source_id", "plan", "reason")] == [f"'{text}"] * 5


def test_a_list_says_its_order_where_days_or_movements_choose_it(app: OpenAPI, row) -> None:
    client = colleague(app)
    asked = {"date=ends&from=2026-01-01": "-ends", "movement=new&month=2026-11&sort=ends": "starts"}
    asked |= {"movement=closing&month=2026-11&sort=-created": "ends", "as_of=2026-11-01&sort=ends": "created"}
    for query, order in asked.items():
        assert client.get(f"{JSON}?{query}").json["sort"] == order, query
        assert client.get(f"{LIST}?{query}").status_code == 200


def test_a_comp_is_told_in_words(app: OpenAPI) -> None:
    free = make_terms(lapse=Reason.COMP_OVER, renews=False)
    save(make_entitlement(terms=free, source="comp", source_id="grt_1"))
    text = " ".join(colleague(app).get(f"{LIST}?source=comp&standing=comped").text.split())
    assert "Free of charge" in text
    assert "<strong>1</strong> entitlement" in text


@pytest.mark.parametrize("query", ["movement=closing&month=2026-11&state=active", "as_of=2026-11-22"])
def test_what_no_index_counts_is_shown_without_a_number(app: OpenAPI, query: str) -> None:
    """Where it fills more than a page."""
    reader, why = make_reader(), entitlements.Cause("event", "evt_1")
    for number in range(51):
        source = entitlements.Source("subscription", f"sub_{number}", reader.id, "annual")
        entitlements.save(source, make_terms(starts_at=NOW), why, NOW)
    save()
    told = colleague(app).get(f"{JSON}?{query}").json
    assert (len(told["rows"]), told["total"]) == (50, None)
    assert "More than a page of" in colleague(app).get(f"{LIST}?{query}").text
