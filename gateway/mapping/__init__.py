"""URL -> program or file, with the settings that hold there."""
