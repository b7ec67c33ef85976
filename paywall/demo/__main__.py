"""`python -m paywall.demo` runs the demo, `check` after it walks the journey, `site` serves the news site alone."""

import sys

from paywall.demo.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
