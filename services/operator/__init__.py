"""The operator: jobs on a schedule, and the commands that look at the whole system."""
