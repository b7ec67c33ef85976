"""Test vectors: what makes docs/vectors.json, and a reader that shares no code with ours."""
