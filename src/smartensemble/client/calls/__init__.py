"""What a client can be asked for, by subject: each class has the calls of one, and the client has all of them."""
