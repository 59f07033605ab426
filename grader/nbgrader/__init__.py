"""nbgrader: the gradebook's marks for other systems."""
