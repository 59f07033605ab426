"""Where student code runs: in this process or in a sandboxed worker."""
