"""IPv6 and what NAN data paths carry above it: addresses, headers, neighbour discovery, UDP, TCP. No clock, no chance, no IO."""
