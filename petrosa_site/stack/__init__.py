"""What a laptop or a test needs around the product: servers, supervisor, first operator."""
