"""House numbers that this package draws: digits, the wall behind them, and the camera's view of both."""
