"""The money of texts, as people see and steer it."""
