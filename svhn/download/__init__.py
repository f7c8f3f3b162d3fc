"""`svhn download`: fetch, verify and unpack the published files of a data set, or draw them."""
