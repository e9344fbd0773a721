"""How what members share looks as bytes: pure functions, without a socket."""
