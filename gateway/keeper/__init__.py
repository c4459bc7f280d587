"""The keeper: parent, owner and reaper of every instance. Standard library only, one thread."""
