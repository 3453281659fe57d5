"""What Oh-LoRA remembers: the file that the user edits and the retriever that finds the line that fits."""
