"""What every test of the project may use: pytest's own way of testing plugins."""

pytest_plugins = ["pytester"]
