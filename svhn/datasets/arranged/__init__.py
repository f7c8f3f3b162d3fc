"""SVHN's real digits in forms that SVHN hardly has: rearranged, turned, and with a letter beside them."""
