"""Pages for people: one look, all templates."""
