"""What the tests share: real servers, one test body for three flavours, leak checks."""
