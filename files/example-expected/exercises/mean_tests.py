# Une cellule, un test ; ils sont exécutés après le notebook, qui ne les voit jamais.
# One cell is one test; they run after the notebook, which never sees them.

# %% name: mean | points: 2
# say.fr: La moyenne est la somme des valeurs divisée par leur nombre. Nommez-la mean.
# say.en: The mean is the sum of the values divided by their number. Name it mean.
assert abs(mean - 62.625) < 0.05
