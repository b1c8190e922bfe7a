"""What is remembered: pairs, judgements, labels, snapshots."""
