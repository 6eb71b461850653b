"""Real time, real devices: serial ports, USB dongles, sockets, bleak."""
