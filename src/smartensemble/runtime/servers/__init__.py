"""What is done for a database: start its servers, wait for them, fill them, end them."""
