"""What Python tools need to know about the Rust kernel; the kernel itself is the program `headwater`."""
