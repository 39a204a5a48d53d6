-- name: next_number
-- The first number of a pool that nobody has taken.
SELECT next_value FROM number_pool WHERE name = :name

-- name: move_pool
-- Take the numbers of a pool up to a value; never backwards.
INSERT INTO number_pool (name, next_value) VALUES (:name, :next_value)
ON CONFLICT (name) DO UPDATE SET next_value = max(next_value, excluded.next_value)
