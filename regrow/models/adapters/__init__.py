"""Low-rank adapters: trained here, and files of others."""
