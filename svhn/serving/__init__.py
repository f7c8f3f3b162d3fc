"""The server: pictures by HTTP, and their numbers as JSON."""
