"""One request on its way through the gateway, below `handler`."""
