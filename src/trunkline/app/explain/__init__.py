"""Why a record is not called."""
