"""Who may see and do what: rules, checks and decisions."""
