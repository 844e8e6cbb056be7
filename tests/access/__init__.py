"""Who may see and do what, from outside: an app of many kinds of handlers, and a client by hand."""
