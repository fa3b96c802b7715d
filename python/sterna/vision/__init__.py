"""What the host does with images: reading, resizing, boxes, drawing."""
