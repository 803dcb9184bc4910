"""Download and publish models."""
