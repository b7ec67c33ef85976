"""Attacks: each kind has tests of its own; the table fails when one of them vanishes."""

import pytest

from tests.support import named_tests

COVERED = {
    "CSRF": [
        "test_csrf.py::test_every_form_is_refused_without_a_token_and_programs_are_the_known_ones",
        "test_csrf.py::test_the_token_of_another_browser_is_refused",
        "test_csrf.py::test_a_form_from_another_origin_is_refused",
        "accounts/test_account.py::test_another_site_cannot_sign_a_reader_out",
        "accounts/test_link.py::test_a_press_without_the_form_of_this_browser_is_refused",
    ],
    "clickjacking": [
        "test_web.py::test_every_answer_is_hardened",
        "test_web.py::test_the_content_policy_lets_nothing_foreign_in",
        "demo/test_headers.py::test_every_answer_has_the_security_headers",
    ],
    "session fixation": [
        "accounts/test_link.py::test_a_session_from_before_signing_in_is_worth_nothing_after",
        "accounts/test_link.py::test_a_made_up_session_cookie_is_replaced",
        "accounts/test_account.py::test_a_copied_cookie_is_worth_nothing_after_signing_out",
        "journeys/test_cookies_elsewhere.py::test_a_session_planted_before_the_payment_is_worth_nothing_after",
        "journeys/test_cookies_elsewhere.py::test_a_checkout_cookie_cannot_be_planted_by_a_neighbouring_host",
    ],
    "host header": [
        "test_web.py::test_a_host_that_is_not_ours_is_refused_and_never_repeated",
        "accounts/test_asking.py::test_the_link_leads_to_our_own_address_whatever_host_was_asked",
        "demo/test_headers.py::test_another_host_name_is_sent_to_the_one_that_shares_cookies",
        "journeys/test_raw_http.py::test_a_request_with_a_second_host_is_refused",
        "journeys/test_raw_http.py::test_another_host_is_refused_and_never_repeated",
        "journeys/test_raw_http.py::test_an_address_that_names_another_host_leads_nobody_there",
    ],
    "cache poisoning": [
        "demo/test_storing.py::test_no_article_may_be_stored",
        "demo/test_storing.py::test_a_conditional_request_is_answered_whole_and_not_storable",
        "demo/test_storing.py::test_an_answer_that_fails_after_the_decision_is_not_storable",
        "demo/test_storing.py::test_an_ending_that_caches_trust_gives_no_full_text_that_may_be_kept",
        "demo/test_storing.py::test_a_header_that_no_cache_looks_at_changes_no_page",
        "demo/test_storing.py::test_what_may_be_kept_is_the_same_for_everybody",
        "demo/test_leaks.py::test_no_address_gives_away_a_line_behind_the_paywall",
        "verifier/test_flask.py::test_a_good_cookie_is_allowed_and_private",
        "test_web.py::test_pages_and_errors_are_never_stored",
        "reports/test_views.py::test_reports_are_never_stored_by_caches",
    ],
    "content sniffing": [
        "test_web.py::test_every_answer_is_hardened",
        "journeys/test_attacks.py::test_every_answer_names_its_type_and_forbids_guessing",
        "reports/test_views.py::test_an_address_cannot_bring_mark_up",
    ],
    "a cookie of one service sent to another": [
        "journeys/test_cookies_elsewhere.py::test_a_value_signs_in_under_its_own_name_only",
        "journeys/test_cookies_elsewhere.py::test_no_cookie_of_a_reader_is_a_service_key",
        "journeys/test_cookies_elsewhere.py::test_no_other_cookie_is_an_access_token",
        "journeys/test_cookies_elsewhere.py::test_a_service_key_signs_nobody_in",
        "verifier/test_flask.py::test_other_authorization_headers_grant_nothing",
    ],
    "made-up tokens: another algorithm, key id, signature, spelling": [
        "access/test_forgeries.py::test_no_public_key_is_taken_for_a_secret",
        "access/test_forgeries.py::test_a_jwt_without_a_signature_is_refused",
        "access/test_forgeries.py::test_a_made_up_key_id_leads_to_no_key",
        "access/test_forgeries.py::test_every_flipped_bit_of_a_jwt_is_refused",
        "verifier/test_jwt.py::test_another_header_is_refused_although_its_signature_holds",
        "access/test_fuzz.py::test_without_a_good_token_nothing_opens_and_nothing_breaks",
    ],
    "smuggling, and two tokens at once": [
        "access/test_smuggling.py::test_a_good_token_counts_in_its_place_alone",
        "access/test_smuggling.py::test_of_two_tokens_the_header_counts_and_of_two_cookies_the_first",
        "access/test_smuggling.py::test_no_spelling_of_the_address_goes_around_the_question",
    ],
    "a secret at another's door, and its timing": [
        "access/test_key_scopes.py::test_each_secret_opens_its_own_doors_and_no_other",
        "access/test_key_scopes.py::test_the_time_that_a_wrong_key_takes_does_not_tell_how_much_of_it_is_right",
    ],
    "requests that cost too much": [
        "access/test_fuzz.py::test_the_worst_that_fits_breaks_nothing_and_takes_not_long",
    ],
    "secrets or tokens in logs, error pages, metrics": [
        "journeys/test_output.py::test_no_secret_or_token_is_printed",
        "journeys/test_output.py::test_nothing_that_looks_like_a_credential_is_printed",
        "journeys/test_output.py::test_no_address_and_nothing_typed_is_printed",
        "journeys/test_output.py::test_no_error_page_repeats_what_was_asked",
        "journeys/test_output.py::test_metrics_tell_no_secret_and_no_address",
        "test_logs.py::test_a_whole_journey_leaves_no_secret_in_the_logs",
        "test_web.py::test_an_unexpected_error_tells_the_caller_nothing",
        "accounts/test_privacy.py::test_no_address_token_or_cookie_is_logged",
    ],
}


@pytest.mark.parametrize("kind", COVERED)
def test_each_kind_of_attack_has_its_tests(kind: str) -> None:
    assert named_tests.vanished(COVERED[kind]) == []


def test_a_name_that_no_test_has_would_be_seen() -> None:
    odd = ["test_web.py::test_nothing", "nowhere.py::test_x", "test_web.py"]
    with pytest.raises(ValueError, match="unpack"):
        named_tests.vanished(odd)
    assert named_tests.vanished(odd[:2]) == odd[:2]


def test_every_answer_names_its_type_and_forbids_guessing(app, client) -> None:
    """Pages, files, problem documents and downloads: none leaves its type to a browser's guess."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
    assert len(rules) > 10
    for path in [*(rule.rule for rule in rules), "/nothing", "/nothing.html", "/static/reader.css"]:
        answer = client.get(path, buffered=True)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        if answer.data:
            assert answer.mimetype not in ("", "application/octet-stream"), path
            assert path == "/metrics" or answer.mimetype != "text/plain", path
            assert "charset=utf-8" in answer.content_type or not answer.mimetype.startswith("text/"), path
