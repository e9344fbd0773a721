from tensor import measure

measure(ours=True)
