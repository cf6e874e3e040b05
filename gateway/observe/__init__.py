"""What the daemon shows of itself: metrics, logs, health, and its notices to systemd. Imports the model only."""
