"""What a lab is: scenarios as data, read and checked before anyone plays them."""
