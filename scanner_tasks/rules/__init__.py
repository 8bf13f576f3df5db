"""The built-in rules, as data: one TOML file for each family."""
