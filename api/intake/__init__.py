"""The intake over HTTP: handing in, lists, the queue, commands."""
