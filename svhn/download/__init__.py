"""`python -m svhn.download`: the published files of a data set, fetched, verified and unpacked."""
