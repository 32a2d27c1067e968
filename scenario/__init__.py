"""What a lab is: scenarios as data, read and checked before anyone plays them.

A scenario is one folder of `catalog/`. `model` holds the records, `load` reads a folder into them, `variant` turns a
seed into one trainee's values, `steps` fills those values into API calls, and `lint` tells an author what to mend.
`trial` plays an author's fixes against a lab, which `stage` starts by the `lab` command like any user.
Everything but `load`, `stage` and `cli` depends on its arguments alone.

Whom this room faces: an author who slips (a typo in a key is named by its path) and a YAML file that tries to run
code (only the safe loader is ever used). It holds no secret: the names of the module's text are public, and what
differs from trainee to trainee is computed from the seed and written nowhere in this room.
"""
