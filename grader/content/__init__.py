"""What is generated from a topic's source: stub, notebook, signatures."""
