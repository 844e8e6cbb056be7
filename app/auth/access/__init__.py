"""Authorization: rules, checks and decisions."""
