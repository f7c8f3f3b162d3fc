"""Scenes of SVHN's pictures, as a finder sees them: numbers with what surrounds them, words, and marks."""
