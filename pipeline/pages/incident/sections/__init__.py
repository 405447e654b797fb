"""The sections of the report, one module for what is read together. Each function takes the record and gives a Section."""
