"""TFRecords turned into batches: augmented for training, unchanged for evaluation."""
