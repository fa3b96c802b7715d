"""HTML pages for people, and all templates."""
