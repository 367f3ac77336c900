//! Plans a vLLM deployment. No I/O, no clock, no randomness: the same input gives the same bytes everywhere.
