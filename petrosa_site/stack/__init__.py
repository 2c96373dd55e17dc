"""What a laptop or a test needs around the product: embedded servers, supervisor, first operator."""
