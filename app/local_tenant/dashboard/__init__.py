"""The dashboard: what a tenant's administrator sees and changes. It needs no login: it is a tool
for the developer, on their own machine."""
