"""JSON goes out in Stripe's order and layout."""

import json

from hypothesis import given
from hypothesis import strategies as st

from paywall.sandbox.wire.render import render

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_order_and_layout_change_no_value(body):
    assert json.loads(render(body)) == body


def test_id_and_object_come_first_then_the_alphabet_at_every_depth():
    text = render({"url": "/", "object": "list", "data": [{"b": 1, "a": "é", "object": "x", "id": "i"}]})
    assert text == (
        '{\n  "object": "list",\n  "data": [\n    {\n      "id": "i",\n      "object": "x",\n'
        '      "a": "é",\n      "b": 1\n    }\n  ],\n  "url": "/"\n}\n'
    )
