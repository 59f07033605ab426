"""What people read: one small module per form."""
