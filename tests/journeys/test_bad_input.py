"""Bad input: each kind that is to be refused has a test of its own; what runs over all addresses stands here."""

import io
import re

import pytest

from paywall.storage.database import db
from paywall.storage.models import Checkout, Reader, SignInLink
from tests.support import named_tests
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import ARTICLE, Shop, referer

# what must be refused -> the tests that say how
COVERED = {
    "an unknown plan": [
        "checkout/test_journey.py::test_the_plan_must_be_one_that_is_for_sale",
        "journeys/test_bad_input.py::test_a_plan_that_is_not_for_sale_is_refused_by_page_and_form",
    ],
    "a bad e-mail address": [
        "accounts/test_asking.py::test_what_is_no_address_is_pointed_out_and_mailed_nowhere",
        "checkout/test_journey.py::test_addresses_that_stripe_would_refuse_are_refused_before",
        "checkout/test_journey.py::test_an_address_that_only_stripe_refuses_is_said_at_the_field",
    ],
    "a foreign or malformed return_to": [
        "test_returning.py::test_a_trick_is_refused",
        "test_returning.py::test_what_is_accepted_stays_on_a_listed_origin_for_every_reader",
        "accounts/test_destination.py::test_everything_else_is_refused",
        "accounts/test_account.py::test_signing_out_leads_to_no_stranger",
        "accounts/test_asking.py::test_a_way_back_to_a_stranger_is_refused_at_once",
        "journeys/test_bad_input.py::test_no_page_takes_a_way_back_to_a_stranger",
    ],
    "a session_id of somebody else": [
        "journeys/test_bad_input.py::test_the_paid_session_of_somebody_else_signs_nobody_in",
        "checkout/test_journey.py::test_a_paid_session_of_the_same_account_that_we_did_not_start_is_refused",
        "checkout/test_journey.py::test_a_copied_checkout_cookie_signs_nobody_in_after_the_buyer",
    ],
    "an unknown session_id": [
        "checkout/test_journey.py::test_a_session_that_is_not_ours_is_refused_and_signs_nobody_in",
        "checkout/test_journey.py::test_odd_names_of_sessions_never_reach_stripe",
    ],
    "the session_id of an unpaid or expired session": [
        "checkout/test_journey.py::test_an_unfinished_payment_offers_to_go_on",
        "checkout/test_journey.py::test_an_expired_session_says_so_and_offers_to_start_again",
    ],
    "a key of the other mode": [
        "test_settings.py::test_a_live_key_is_refused_unless_allowed",
        "test_settings.py::test_what_is_no_secret_key_of_stripe_is_refused",
        "webhooks/test_intake.py::test_an_event_of_the_other_mode_is_stored_and_has_no_effect",
        "billing/test_other_mode.py::test_a_subscription_of_the_other_mode_grants_nothing",
        "billing/test_other_mode.py::test_an_object_of_the_other_mode_is_not_found",
    ],
    "oversize bodies": [
        "test_web.py::test_a_body_over_the_limit_is_refused",
        "access/test_bodies.py::test_a_body_over_the_limit_is_refused_and_never_cut",
        "webhooks/test_intake.py::test_an_oversize_body_is_413_and_leaves_no_trace",
        "journeys/test_bad_input.py::test_an_oversize_body_is_refused_everywhere",
    ],
    "bodies that are not UTF-8, or not JSON": [
        "access/test_callers.py::test_a_body_that_is_not_json_in_utf8_is_named_as_such",
        "webhooks/test_intake.py::test_a_body_that_is_not_text_is_400",
        "journeys/test_bad_input.py::test_a_body_of_another_kind_is_refused_everywhere",
    ],
    "a signed JSON list; a thin event": [
        "webhooks/test_intake.py::test_a_signed_body_that_is_no_snapshot_event_is_400_and_leaves_no_trace",
    ],
    "a signed event with anything in it changed": [
        "webhooks/test_mutations.py::test_no_change_of_a_member_that_is_read_crashes_or_grants",
        "webhooks/test_mutations.py::test_no_change_of_a_member_that_is_stored_crashes_or_grants",
        "webhooks/test_mutations.py::test_no_change_anywhere_crashes_or_grants",
    ],
    "wrong, missing, stale or foreign signatures": [
        "webhooks/test_intake.py::test_a_wrong_signature_is_400_and_leaves_no_trace",
        "journeys/test_recorded_events.py::test_a_recorded_event_with_a_wrong_signature_leaves_no_trace",
    ],
    "a token with any bit flipped, not canonical, truncated, empty, of a megabyte": [
        "access/test_damaged_tokens.py::test_any_single_flipped_bit_is_refused",
        "access/test_damaged_tokens.py::test_no_other_last_character_is_taken_for_the_same_bytes",
        "access/test_damaged_tokens.py::test_every_truncation_is_refused",
        "access/test_damaged_tokens.py::test_a_token_of_a_megabyte_is_refused_by_its_length",
        "access/test_verify.py::test_a_text_that_is_no_token_is_malformed",
        "verifier/test_codec.py::test_any_changed_character_is_refused",
    ],
    "a token of a retired or unknown key, or of another purpose": [
        "access/test_damaged_tokens.py::test_a_retired_key_still_verifies_and_a_withdrawn_one_does_not",
        "access/test_damaged_tokens.py::test_a_token_of_another_purpose_is_refused_and_not_renewed",
        "access/test_verify.py::test_a_token_of_an_unknown_key_is_refused",
    ],
    "a missing, unknown or revoked service key": [
        "access/test_callers.py::test_without_a_service_key_the_way_to_send_one_is_named",
        "access/test_callers.py::test_a_wrong_service_key_is_refused_as_such",
        "access/test_callers.py::test_a_revoked_service_key_is_refused",
    ],
    "CR/LF in what reaches a header or a mail": [
        "journeys/test_bad_input.py::test_a_line_break_starts_no_header_anywhere",
        "journeys/test_bad_input.py::test_a_line_break_in_an_address_sends_no_mail",
        "mail/test_messages.py::test_a_subject_cannot_start_another_header",
        "mail/test_messages.py::test_an_address_that_is_more_than_one_is_refused",
        "mail/test_messages.py::test_a_newsroom_name_over_two_lines_becomes_one_line",
        "demo/test_headers.py::test_the_way_to_the_right_host_leads_nowhere_else",
    ],
    "requests without Host, or with two Content-Lengths": [
        "journeys/test_raw_http.py::test_a_request_without_a_host_is_refused",
        "journeys/test_raw_http.py::test_a_request_whose_length_or_headers_are_in_doubt_is_refused",
    ],
    "settings of wrong types, missing secrets, unknown names": [
        "test_settings.py::test_an_unknown_or_wrong_table_in_a_file_is_named",
        "test_settings.py::test_an_unknown_name_in_the_environment_is_refused",
        "test_settings.py::test_a_list_that_is_no_json_list_is_named_and_not_repeated",
        "test_settings.py::test_every_missing_secret_is_named_at_once",
        "test_settings.py::test_a_broken_file_is_named_with_the_place_but_without_its_text",
        "test_wsgi.py::test_a_bad_setting_stops_it_with_clear_words_and_no_secret",
    ],
}

BREAK = "x\r\nSet-Cookie: planted=1\r\n\r\n<script>planted"
ENCODED = "x%0d%0aSet-Cookie:%20planted=1"
FORMS = ["/checkout", "/sign-in", "/sign-in/code", "/sign-in/link", "/sign-out"]


@pytest.mark.parametrize("kind", COVERED)
def test_each_kind_of_bad_input_has_its_tests(kind: str) -> None:
    assert named_tests.vanished(COVERED[kind]) == []


def reader_facing(app) -> list[str]:
    """Every address that a browser may ask for with GET, without those of files."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
    return sorted({rule.rule for rule in rules})


def text_of(answer) -> str:
    return answer.get_data().decode("utf-8", "replace")


def rows() -> int:
    return sum(db.session.query(model).count() for model in (Reader, Checkout, SignInLink))


@on_sqlite
def test_a_plan_that_is_not_for_sale_is_refused_by_page_and_form(shop: Shop) -> None:
    client = shop.browser()
    form = form_of(client.get("/join?plan=annual").text)
    for plan in ("weekly", "", "annual ", "ANNUAL", "annual\0", "../annual", "x" * 5000):
        assert client.get("/join", query_string={"plan": plan}).status_code == 404, plan
        answer = client.post("/checkout", data={**form, "plan": plan, "email": "ada@example.com"}, headers=referer())
        assert answer.status_code == 404, plan
    assert rows() == 0


@on_sqlite
@pytest.mark.parametrize("stranger", ["https://evil.test/", "//evil.test", "https://news.test@evil.test/", "\\evil"])
def test_no_page_takes_a_way_back_to_a_stranger(shop: Shop, stranger: str) -> None:
    for path in reader_facing(shop.app):
        answer = shop.browser().get(path, query_string={"return_to": stranger, "plan": "annual"})
        ways = [answer.headers.get("Location", ""), *re.findall(r'(?:href|action)="([^"]*)"', text_of(answer))]
        assert not any("evil" in way.partition("?")[0] for way in ways), path
    client = shop.browser()
    form = form_of(client.get("/join", query_string={"plan": "annual", "return_to": ARTICLE}).text)
    sent = {**form, "email": "ada@example.com", "return_to": stranger}
    assert client.post("/checkout", data=sent, headers=referer()).status_code == 400
    assert rows() == 0


def test_the_paid_session_of_somebody_else_signs_nobody_in(shop: Shop) -> None:
    """Neither a stranger nor a reader who is signed in, or has a checkout of their own, gets the buyer's access."""
    buyer, stranger, other = shop.browser(), shop.browser(), shop.browser()
    path = shop.pay(shop.start(buyer))
    shop.start(other, "grace@example.com")
    for client in (stranger, other):
        answer = client.get(path)
        assert answer.status_code == 200, answer.status_code
        assert client.get_cookie("paywall_sid") is None
        assert client.get_cookie("paywall_token") is None
        assert "ada@example.com" not in answer.text
    assert buyer.get(path).headers["Location"] == ARTICLE


@on_sqlite
def test_a_line_break_starts_no_header_anywhere(shop: Shop) -> None:
    """In every parameter that any page reads, raw and encoded twice; and in the path itself."""
    names = ("return_to", "plan", "session_id", "checkout", "token", "q", "email", "page", "cursor", "state", "format")
    for path in reader_facing(shop.app):
        for value in (BREAK, ENCODED, f"{ARTICLE}{BREAK}", f"{ARTICLE}?{ENCODED}"):
            answer = shop.browser().get(path, query_string=dict.fromkeys(names, value))
            assert_whole(answer, path)
        assert_whole(shop.browser().get(f"{path}%0d%0aSet-Cookie:%20planted=1"), path)


@on_sqlite
@pytest.mark.parametrize("path", FORMS)
def test_a_line_break_in_a_form_starts_no_header(shop: Shop, path: str) -> None:
    client = shop.browser()
    token = form_of(client.get("/sign-in").text)["csrf_token"]
    names = ("return_to", "plan", "token", "code", "email")
    for value in (BREAK, f"{ARTICLE}{BREAK}"):
        sent = {"plan": "annual", **dict.fromkeys(names, value), "csrf_token": token}
        assert_whole(client.post(path, data=sent, headers=referer()), path)


def assert_whole(answer, path: str) -> None:
    assert answer.status_code < 500, (path, answer.status_code)
    cookies = answer.headers.getlist("Set-Cookie")
    assert not any(cookie.startswith("planted") for cookie in cookies), path
    assert not any(re.search(r"[\r\n\0]", value) for _, value in answer.headers), path
    assert "<script>planted" not in text_of(answer), path


@on_sqlite
@pytest.mark.parametrize(
    "ending", ["\r\nBcc: eve@evil.test", "\nBcc: eve@evil.test", "%0d%0aBcc:eve@evil.test", "\r", ",e@e.test"]
)
def test_a_line_break_in_an_address_sends_no_mail(make_app, tmp_path, sandbox, ending: str) -> None:
    shop = Shop(make_app(stripe={"api_base": sandbox.url}, mail={"outbox_dir": str(tmp_path)}), sandbox)
    with shop.app.app_context():
        client = shop.browser()
        form = form_of(client.get("/sign-in").text)
        for address in (f"ada@example.com{ending}x", f"ada{ending}@example.com"):
            answer = client.post("/sign-in", data={**form, "email": address}, headers=referer())
            assert answer.status_code == 400, address
            joined = shop.join(shop.browser(), address)
            assert joined.status_code == 400, address
        assert rows() == 0
    assert list(tmp_path.glob("*.eml")) == []


@on_sqlite
def test_an_oversize_body_is_refused_everywhere(shop: Shop) -> None:
    client = shop.browser()
    for path in writing(shop.app):
        answer = client.post(path, data=b"a=" + b"x" * 1_100_000, headers=referer(), content_type="application/json")
        assert answer.status_code in (401, 413), path  # programs must show their key first
        form = "application/x-www-form-urlencoded"
        assert client.post(path, data=b"a" * 1_100_000, headers=referer(), content_type=form).status_code in (401, 413)


@on_sqlite
@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json",
        "text/plain",
        "",
        "x" * 300,
    ],
)
def test_a_body_of_another_kind_is_refused_everywhere(shop: Shop, kind: str) -> None:
    """Neither JSON nor UTF-8, nor what its content type says: a clear refusal, and no trace of it."""
    client = shop.browser()
    client.get("/sign-in")
    for path in writing(shop.app):
        for body in (
            b"\xff\xfe\x00",
            b"csrf_token=\xff&email=\xff",
            b"--x\r\nnonsense",
            b"[" * 50_000,
            b"a&" * 3000,
            b"",
        ):
            answer = client.post(
                path, input_stream=io.BytesIO(body), content_length=len(body), headers=referer(), content_type=kind
            )
            assert answer.status_code in (400, 401, 413, 415), (path, body[:20])
    assert rows() == 0


def writing(app) -> list[str]:
    """Every address that takes POST."""
    return sorted({rule.rule for rule in app.url_map.iter_rules() if "POST" in rule.methods})
