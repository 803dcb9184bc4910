"""Pictures: files to tensors and back, fitting, masks, sheets, distances."""
