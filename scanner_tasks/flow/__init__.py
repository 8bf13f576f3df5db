"""The use cases: one object's journey is this folder's listing."""
