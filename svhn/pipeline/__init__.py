"""TFRecords as batches, augmented for training and exact for evaluation."""
