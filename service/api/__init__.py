"""HTTP: parse, call, return. Knows pydantic and FastAPI, not SQLAlchemy."""
