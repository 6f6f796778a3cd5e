"""The Faust worker: the stages of the pipeline on the engine, its tables, its health and its metrics."""
