"""The stages as pure functions: records and state in, records and state out. No clock, no network, no settings."""
