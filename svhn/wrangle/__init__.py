"""`python -m svhn.wrangle`: the published files of a data set as TFRecords."""
