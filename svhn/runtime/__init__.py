"""What has nothing to do with numbers in pictures: exit codes, whole files, worker processes, clusters."""
