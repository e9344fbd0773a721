"""How a program is run, and what a batch job asks for."""
