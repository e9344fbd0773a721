from time import process_time

from measure import measured

with measured(process_time):
    import smartsim  # noqa: F401
