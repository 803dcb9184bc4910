"""Songs of the carried singer: lyrics, tunes and hummed melodies become a score."""
