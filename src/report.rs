//! Findings to output. Sees positions and findings, never the model.
