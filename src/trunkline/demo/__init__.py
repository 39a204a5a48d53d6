"""Data of the demo: ``calling_list_1.csv``, 500 fictional records. ``trunkline.app.demo`` loads it."""
