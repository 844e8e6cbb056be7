"""What the auth layer does, without a web framework: log in, log out, have an access token."""
