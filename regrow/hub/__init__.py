"""Getting and publishing models."""
