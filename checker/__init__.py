"""What the trainee achieved: collect evidence through the AWS API, grade it, report it."""
