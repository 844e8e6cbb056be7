"""An app with proxied routes, and the APIs behind them."""
