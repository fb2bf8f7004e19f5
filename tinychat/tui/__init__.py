"""The full-screen program: `screens` are what one sees, `job` trains behind them, `app` holds both."""
