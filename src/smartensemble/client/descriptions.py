"""The arguments and errors that calls of a client have in common, for the docstrings of all of them."""

#: Of every call that takes something.
CALL = """
:param src_name: the name of the one to copy.
:param dest_name: the name of the copy, which takes the place of what was there.
:param old_name: the name that it has.
:param new_name: the name that it gets; it takes the place of what was there.
:param poll_frequency_ms: the milliseconds between two tries.
:param num_tries: how many times the client asks, from 1 on.
:raises InputTypeError: an argument has another type.
:raises InputValueError: an argument has a value that cannot be used; the message says which can.
:raises StateError: the client is closed.
:raises RedisReplyError: a server refuses, or does not answer in time, or the connection is lost.
"""

TENSOR = """
:param name: the name of the tensor.
:param key: the key, as the database has it.
"""

DATASET = """
:param name: the name of the dataset.
"""

LIST = """
:param list_name: the name of the list.
:param name: the name of the list.
:param list_length: a number of datasets.
"""

#: Of models and scripts.
STORED = """
:param device: CPU, GPU, or one GPU by its number, ``"GPU:1"``.
:param first_gpu: the number of the first GPU.
:param num_gpus: the number of GPUs.
:param offset: the number of the process that runs it, such as its MPI rank: one after the other gets the next GPU.
:param inputs: the names of the tensors that it takes.
:param outputs: the names of the tensors that it stores.
"""

MODEL = f"""
:param name: the name of the model.
:param model_file: the path of the file.
{STORED}
"""

SCRIPT = f"""
:param name: the name of the script.
:param script: the text of its functions.
:param file: the path of the file.
:param function: the function.
:param fn_name: the name of a function in it.
{STORED}
"""

PREFIX = """
:param use_prefix: True if they get it.
"""

SERVER = """
:param addresses: the addresses of the servers, as ``db.get_address()`` returns them.
:param address: the address of the server.
"""

#: Of a dataset, which has no connection.
FIELD = """
:param name: the name of the tensor or metadata field.
:raises InputTypeError: an argument has another type.
"""

#: Of an option of a database.
OPTION = """
:param option_name: the name of the option, such as ``"SSDB"``.
:param value: its value from now on, in this object.
:raises InputTypeError: an argument has another type.
:raises InputValueError: the name is empty.
"""

LOG = """
:param context: what it begins with, such as the name of a program.
:param level: from which level on it is logged.
:param data: the rest of the line.
:raises InputTypeError: `level` is no level, or another argument is no text.
:raises InputValueError: the variable SR_LOG_LEVEL names no level.
:raises AccessError: the file of the variable SR_LOG_FILE cannot be written.
"""
