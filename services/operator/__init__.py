"""What people and schedules do to the whole: migrate, look, count."""
