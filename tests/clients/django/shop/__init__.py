"""A small application: orders, their lines, and a stock that they take from."""
