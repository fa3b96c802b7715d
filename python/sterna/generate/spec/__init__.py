"""`sterna.spec` in other languages: the RTL's package, C headers, tables for the documentation."""
