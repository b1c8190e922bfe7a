"""`python -m rmr1`: the part of the command line that needs no database."""

from rmr1.cli import app, run

if __name__ == "__main__":
    run(app)
