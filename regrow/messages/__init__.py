"""Every sentence to users, by its key, in English and Chinese."""
