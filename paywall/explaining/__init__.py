"""Why a reader may or may not read at a moment: gathered from the ledger, told in plain words."""
