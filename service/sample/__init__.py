"""The sample world: invented people and organisations, who enter through the same actions as real ones."""
