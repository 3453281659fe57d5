"""Several programs write the memory file, or are killed while they do: no line is lost, and the file is whole."""

from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_file import MemoryFile
from tests.llm.memory_mechanism.writers import kill_again_and_again, write_together


def test_two_programs_lose_no_line(tmp_path):
    """60 lines added and one value changed 60 times by turns."""
    left = write_together(tmp_path / "memory.txt", ("하나", "둘"), 30)
    assert (left.written, left.wrong) == (60, ())


def test_a_program_killed_again_and_again_leaves_a_whole_file(tmp_path):
    path = tmp_path / "memory.txt"
    left = kill_again_and_again(path, kills=8, seed=4)
    assert left.wrong == () and left.written >= 3 * 8
    name = Memory("이름", "민수")
    assert MemoryFile(path).add([name]).added == (name,), "its lock is free again"
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, f".{path.name}.lock"}, "no litter is left"
