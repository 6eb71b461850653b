"""bumble controllers and hosts on the simulated air. The only place under sim/ that imports bumble."""
