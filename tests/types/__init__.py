"""What type checkers say of an app that uses the auth layer, and of the layer itself."""
