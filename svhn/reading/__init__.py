"""Reading: from any picture to the numbers in it."""
