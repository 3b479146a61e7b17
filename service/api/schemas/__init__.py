"""The contract with clients: `...Out` is read from a row, `...In` holds what a client may say."""
