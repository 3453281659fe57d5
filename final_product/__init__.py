"""The program that the user runs: terminal, one turn of talk, the face on disk and where the models lie."""
