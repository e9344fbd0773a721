"""What driver and supervisor say to each other arrives whole."""

from smartensemble.runtime.standalone.messages import pack, unpack


def test_messages_come_out_as_they_went_in_however_they_are_cut() -> None:
    messages = [("launch", None, {"A": "ü\udcff"}, [(1, ("x", "y"))]), ("stop", 2, [1], 0.5)]
    buffer, found = bytearray(), []

    for byte in b"".join(map(pack, messages)):
        buffer.append(byte)
        found += list(unpack(buffer))

    assert found == messages
    assert not buffer


def test_a_message_whose_reader_is_interrupted_is_read_again() -> None:
    buffer = bytearray(pack(("ended", 1)) + pack(("ended", 2)))

    for message in unpack(buffer):
        assert message == ("ended", 1)
        break

    assert list(unpack(buffer)) == [("ended", 1), ("ended", 2)]
