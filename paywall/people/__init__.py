"""What is done for one person, from whichever page or command it is asked: export, erasure, moving a purchase."""
