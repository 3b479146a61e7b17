"""Reports as people read them: workbooks and documents, drawn from the bytes that were frozen and nothing else."""
