"""Databases as their users describe them: servers, addresses, variables, contents. `runtime.servers` starts them."""
