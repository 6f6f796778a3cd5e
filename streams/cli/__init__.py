"""The command `widget-streams`: one module a command, each of them thin."""
