"""Labels in, a better judge out."""
