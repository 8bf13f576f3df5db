"""Acting on findings: a plan, its run by the actions' workers, the log, the way back."""
