"""What checks are made of: comparisons, gradient checks, laws of random answers, strategies."""
