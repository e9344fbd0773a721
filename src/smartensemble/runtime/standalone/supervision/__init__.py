"""What the supervisor does: start members, know whose each process is, take requests, and end members with all they started."""
