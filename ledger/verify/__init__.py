"""The standalone verifier: a bundle and a reader's trust file in, a verdict out."""
