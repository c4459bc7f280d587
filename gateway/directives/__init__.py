"""The directives file: table, grammar and merging (spec 3). Pure: touches no file, socket or clock."""
