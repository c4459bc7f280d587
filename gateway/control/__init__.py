"""What an administrator asks of a gateway that runs, by a Unix socket: the front's side and the command's."""
