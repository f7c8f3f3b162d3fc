"""House numbers that are drawn here, on walls seen by a camera."""
