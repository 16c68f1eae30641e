"""What the program costs on the engine. Nothing here is imported by the program, and nothing here is a test."""
