from tensor import measure

measure(ours=False)
