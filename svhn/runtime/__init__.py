"""Parts that any program needs: exit codes, files that are complete or absent, worker processes, clusters."""
