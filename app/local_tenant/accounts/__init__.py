"""What users do with their accounts: sign up, choose a password, verify an address, enrol."""
