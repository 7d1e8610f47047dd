"""How each system does the work of the cases, a file for a family of cases and a system."""
