"""Short programs, one a task: each says what it reached, and exits with 1 if that is too little."""
