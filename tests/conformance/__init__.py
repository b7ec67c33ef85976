"""The conformance kit: stories of purchases, played in every order, doubled, lost, killed and raced."""
