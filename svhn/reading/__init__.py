"""From any picture to the number in it."""
