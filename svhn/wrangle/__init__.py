"""`svhn wrangle`: write, check and salvage the records of a data set."""
