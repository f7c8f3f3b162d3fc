"""Reading: from any picture to the number in it."""
