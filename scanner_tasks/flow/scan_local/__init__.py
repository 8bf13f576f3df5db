"""A scan without any set-up: files of this machine, standard input, or S3 with the user's own credentials.

    target.py   what TARGET means            files.py    files as objects: walked, opened, with their outcomes
    crew.py     children on all cores        journal.py  the state file that --resume reads
    run.py      one scan from first listing to last outcome
    child.py    what runs in the children

Objects are read by the fleet's own extractors and engine, each in a child process (flow/isolation.py), under the same
budgets, and end with the same outcomes. No database, no queue, no rights beyond reading.
"""
