"""What is said of a database: what it is, how members reach it, what they find in it. `runtime.servers` does it."""
