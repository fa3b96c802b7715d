"""Images on the host: reading, resizing, boxes, drawing."""
